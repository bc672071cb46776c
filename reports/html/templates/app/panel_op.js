/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// One op over all its variants, models and devices.

const MOST_VARIANTS = 80;

async function opPanel(page, name) {
  const { grid, table } = page, ops = await columnsOf("ops-data");
  const wanted = ops.names.indexOf(name);
  const uses = [];
  for (const test of ops.tests) {
    for (let i = test[1]; i < test[1] + test[2]; i++) if (ops.variants[ops.variant[ops.verdict[i]]][0] === wanted) uses.push([i, test]);
  }
  const devices = grid.devices.map((device, at) => {
    const own = uses.filter(([, test]) => test[0] % table.width === at);
    return { device, all: own.length, bad: own.filter(([i]) => !ops.isGood[ops.outcome[ops.verdict[i]]]).length };
  }).filter((one) => one.all);
  const blocked = new Map();
  for (const [i, test] of uses) if (ops.blocks[ops.verdict[i]]) blocked.set(test[0], i);
  const nameOf = (row) => grid.models[row] || grid.familyNames[grid.families[row]];
  const names = new Set([...blocked.keys()].map((cell) => nameOf(Math.floor(cell / table.width))));
  const causes = grid.causes.filter((cause) => cause.name.includes(name));
  return {
    title: name,
    where: `${counted(uses.length, "result")}, ${counted(new Set(uses.map(([i]) => ops.variant[ops.verdict[i]])).size, "variant")}`,
    body: [
      causes.length ? part("Causes that name it", h("ul", { class: "plain" }, ...causes.map((cause) => h("li", {}, h("a", { href: `#c=${encodeURIComponent(cause.id)}` }, bdi(cause.name)), cause.new ? " (new tonight)" : "")))) : null,
      part("Devices", wide(h("table", {}, headRow("Device", "#Results", "#Not good"), h("tbody", {}, ...devices.map((one) =>
        h("tr", {}, h("th", { scope: "row" }, bdi(one.device)), h("td", { class: "number" }, String(one.all)), h("td", { class: "number" }, String(one.bad)))))))),
      part(`Models it blocks: ${names.size}${names.size < blocked.size ? `, in ${blocked.size} tests` : ""}`, ...(blocked.size ? [wide(h("table", {}, headRow("Test", "Device", "Failure", "Again"), h("tbody", {}, ...[...blocked].slice(0, 60).map(([cell, i]) =>
        h("tr", {}, h("th", { scope: "row" }, cellLink(page, cell)), h("td", {}, bdi(grid.devices[cell % table.width])), h("td", {}, ops.lines[ops.line[ops.verdict[i]]]), h("td", {}, copyButton(reproduce(page, ops, i, cell))))))))] : [h("p", { class: "aside" }, "none")])),
      pastOfOp(grid, ops.past[name]),
      variantsPart(ops, uses),
    ],
  };
}

/** How many results an op had, and how many of them were bad, night by night. */
function pastOfOp(grid, past) {
  if (!past || grid.nights.length < 2) return null;
  const [results, bad] = past, { nights } = grid, marks = [];
  const shown = (counts) => counts.map((n, night) => (results[night] ? n : NaN));
  let before = NaN;
  bad.forEach((n, night) => {
    if (!results[night]) return;
    if (n > 0 !== before > 0 && isFinite(before)) marks.push({ night, word: `${n ? "bad" : "good"} from ${day(nights[night][1])}` });
    before = n;
  });
  return part("History, over all tests and devices", h("div", { class: "charts" },
    chart({ title: "not good", values: shown(bad), nights, text: String, marks, bad: bad.map((n) => n > 0) }),
    chart({ title: "results", values: shown(results), nights, text: String })));
}

const cellLink = (page, cell) => h("a", { href: `#p=${page.table.anchor(cell)}` }, bdi(page.grid.names[Math.floor(cell / page.table.width)]));

/** The shell line that runs an op's reproducer. */
function reproduce(page, ops, i, cell) {
  const test = ops.tests.find(([of]) => of === cell);
  const words = `${test[4]}${ops.variants[ops.variant[ops.verdict[i]]][4]}-${ops.files[cell % page.table.width]}`;
  return `${test[5]} ${/^[\w@%+=:,./-]+$/.test(words) ? words : `'${words.replaceAll("'", `'"'"'`)}'`}`;
}

function variantsPart(ops, uses) {
  const byVariant = new Map();
  for (const [i] of uses) {
    const v = ops.verdict[i], own = byVariant.get(ops.variant[v]);
    if (own) own.push(v);
    else byVariant.set(ops.variant[v], [v]);
  }
  const rows = [...byVariant].map(([variant, all]) => ({ variant, all, worst: all.reduce((a, b) => (opRank(ops, b) < opRank(ops, a) ? b : a)) }))
    .sort((a, b) => opRank(ops, a.worst) - opRank(ops, b.worst) || b.all.length - a.all.length);
  return part(`Variants: ${rows.length}`, wide(h("table", {}, headRow("Operands", "Results, attributes", "#Results", "Worst", "#Status"), h("tbody", {}, ...rows.slice(0, MOST_VARIANTS).map(({ variant, all, worst }) => {
    const [, inputs, outputs, attributes] = ops.variants[variant];
    return h("tr", {}, h("th", { scope: "row" }, bdi(ops.texts[inputs])), h("td", {}, bdi(ops.texts[outputs]), h("small", {}, ` ${ops.texts[attributes]}`)),
      h("td", { class: "number" }, String(all.length)), h("td", {}, opBadge(ops, worst)), h("td", { class: "number" }, String(ops.status[worst])));
  })))), rows.length > MOST_VARIANTS && h("p", { class: "aside" }, `the worst ${MOST_VARIANTS} of ${rows.length}`));
}
