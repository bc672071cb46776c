/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// What is known of one test on one device.

const STAGES = ["load", "golden", "export", "decompose", "torch_ir", "torch_backend_ir", "stablehlo", "compile", "execute", "verify"];
const MOST_OPS = 60;

/** A section of a panel; nothing where it is empty. */
function part(title, ...children) {
  const there = children.flat().filter((child) => child);
  return there.length ? h("section", {}, title && h("h3", {}, title), ...there) : null;
}

async function testPanel(page, cell) {
  const { grid, table } = page;
  const device = grid.devices[cell % table.width], row = Math.floor(cell / table.width);
  const outcome = grid.outcomes[grid.outcome[cell] - 1];
  const detail = table.results[cell] < 0 ? {} : await detailOf(table.results[cell]);
  const [past, ops] = [await columnsOf("past"), find("ops-data") ? await columnsOf("ops-data") : null];
  const judged = grid.judgements[grid.judged[cell] - 1];
  const cause = grid.cause[cell] ? grid.causes[grid.cause[cell] - 1] : null;
  const [stage, kind, message, kept, frame] = detail.x ?? [];
  const facts = detail.f ?? [];
  return {
    title: grid.names[row],
    where: device,
    texts: detail.t ?? [],
    body: [
      h("p", { class: "line" }, badge(outcome), judged && judged !== "good" && h("b", { class: ["known", "fixed", "no evidence"].includes(judged) ? "" : "judged" }, judged),
        h("span", {}, `reached ${grid.statuses[grid.status[cell]]}`), grid.pcc[cell] ? h("span", {}, `PCC ${pccText(grid.pcc[cell])}`) : null,
        grid.seconds[cell] ? h("span", {}, seconds(onScale(grid.seconds[cell]))) : null,
        grid.list[cell] ? h("span", {}, bdi(grid.lists[grid.list[cell]])) : null),
      message !== undefined && part(`${stage ? `Failure in ${stage}` : "Failure"}: ${kind}`,
        frame && h("p", { class: "frame" }, "Innermost line of your own: ", h("code", {}, frame)),
        h("pre", { class: "failure", tabindex: 0 }, message),
        kept.length ? h("p", {}, "The whole text: ", keptLink(kept[0])) : null),
      table.results[cell] < 0 && h("p", { class: "alarm" }, grid.lines[grid.line[cell]]),
      cause && h("p", {}, "Cause: ", h("a", { href: `#c=${encodeURIComponent(cause.id)}` }, bdi(cause.name)), ` ${[cause.issue, cause.owner].filter(Boolean).join(", ")}`),
      part("", detail.c && [h("h3", {}, "Run it again"), command(detail.c)], detail.r && [h("h3", {}, "Find what is to blame"), command(detail.r)]),
      detail.b && blamePart(detail.b),
      detail.v && judgement(detail.v),
      history30(page, cell, past, detail),
      detail.g && part("What it said", h("dl", { class: "facts" }, ...detail.g.map(([name, said, at]) => h("div", {}, h("dt", {}, name), h("dd", {}, at ? h("img", { src: at, alt: name }) : bdi(said)))))),
      stagePart(detail.s ?? []),
      checksPart(detail.o ?? []),
      ops && opsOfTest(page, ops, cell),
      textsPart(page, detail),
      facts.length ? part("Facts", h("dl", { class: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, bdi(value)))))) : null,
      detail.a && part("Checks as asked for", h("ul", {}, ...detail.a.map(([name, value]) => h("li", {}, `${name}: ${value}`)))),
      detail.n && part("Notes", h("ul", {}, ...detail.n.map((note) => h("li", {}, ...linked(note))))),
      detail.w && part("Warnings", h("ul", {}, ...detail.w.map((warning) => h("li", {}, warning)))),
      detail.e && part("Earlier attempts", h("ul", {}, ...detail.e.map(([was, when, why]) => h("li", {}, `${was}, ${when} ${why}`)))),
    ],
  };
}

const badge = (outcome) => h("b", { class: `badge o-${outcome[0].replace(" ", "-")}` }, outcome[0]);

const keptLink = ([level, size, address]) =>
  h("span", { class: "kept" }, address ? link(address, level) : h("span", { class: "gone", title: "no page was written for this text; it is kept in blobs/" }, level), h("small", {}, ` ${size}`));

/** What a search found in the model. */
function blamePart([ops, whole, minimal, sentences, again]) {
  return part(`To blame: ${ops} of ${whole} ops${minimal ? "" : ", or fewer: the search was cut short"}`,
    h("ul", { class: "plain" }, ...sentences.map((sentence) => h("li", {}, sentence))), command(again));
}

/** What the night says beside the judgement itself. */
function judgement(verdict) {
  const at = (moment) => `${day(moment[1])} (${moment[0]})`;
  const lines = [
    verdict.since && `Since ${at(verdict.since)}${verdict.settled ? "" : ", not settled yet"}.`,
    verdict.first_bad && `First bad ${at(verdict.first_bad)}${verdict.streak > 1 ? `, ${verdict.streak} nights in a row` : ""}.`,
    verdict.last_good ? `Last good ${at(verdict.last_good)}.` : verdict.first_bad && "Never seen good.",
    verdict.flips > 1 && `${verdict.flips} changes between good and bad in 30 nights.`,
    verdict.elsewhere && `Good tonight on ${verdict.elsewhere.join(", ")}.`,
    verdict.uncounted && `No evidence: ${verdict.uncounted.map(([why, count]) => `${counted(count, "night")} (${why})`).join(", ")}.`,
    ...(verdict.drifts ?? []).map(([kind, before, now, names]) => (names.length ? `${kind}: ${names.join(", ")}` : `${kind} was ${before}, is ${now}.`)),
  ];
  const changes = verdict.changes && h("table", {}, h("thead", {}, h("tr", {}, ...["What changed", "last good", "first bad"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...verdict.changes.map(([, name, before, after]) => h("tr", {}, h("th", { scope: "row" }, bdi(name)), h("td", {}, bdi(before.slice(0, 24) || "absent")), h("td", {}, bdi(after.slice(0, 24) || "absent"))))));
  return part("Beside its past", h("ul", { class: "plain" }, ...lines.filter(Boolean).map((line) => h("li", {}, line))), changes);
}

/** Four charts; a line stands where the outcome turned. */
function history30(page, cell, past, detail) {
  const { grid, table } = page, nights = grid.nights, row = grid.row[cell] - 1;
  if (row < 0 || !nights.length) return part("History", h("p", { class: "aside" }, "No earlier night of this test is known."));
  const codes = grid.past.subarray(row * nights.length, (row + 1) * nights.length);
  const good = [...codes].map((code) => (code && !(code & NO_EVIDENCE) ? table.isGood[code] : null));
  const marks = [];
  let before = null;
  good.forEach((now, night) => {
    if (now === null) return;
    if (before !== null && now !== before) marks.push({ night, word: `${now ? "good" : "bad"} from ${day(nights[night][1])}` });
    before = now;
  });
  const bad = good.map((now) => now === 0);
  const column = (name) => Float64Array.from(past[name]?.subarray(row * nights.length, (row + 1) * nights.length) ?? [], onScale);
  const required = requiredPcc(detail.o ?? []);
  return part("History",
    outcomeStrip(codes, nights, grid.outcomes, marks),
    h("div", { class: "charts" },
      chart({ title: required === null ? "1 − PCC" : `1 − PCC, limit ${off(1 - required)}`, values: column("pcc"), nights, text: off, marks, bad, line: required === null ? NaN : 1 - required, log: true }),
      chart({ title: "seconds", values: column("seconds"), nights, text: seconds, marks, bad }),
      chart({ title: "memory", values: column("memory"), nights, text: mebibytes, marks, bad })));
}

const off = (value) => (value <= 1e-9 ? "0" : Number(value.toPrecision(2)).toString());

function requiredPcc(outputs) {
  let found = null;
  for (const output of outputs) {
    if (typeof output === "number") continue;
    for (const [metric, , required, flags] of output[3]) if (metric === "pcc" && required !== null && flags & 2) found = Math.max(found ?? -1, required);
  }
  return found;
}

function stagePart(stages) {
  if (!stages.length) return null;
  const whole = stages.reduce((sum, stage) => sum + (stage[2] ?? 0), 0) || 1;
  let from = 0;
  const rows = stages.map(([index, ok, wall, cpu, peak, kept = [], attributes = []]) => {
    const width = (100 * (wall ?? 0)) / whole, bar = svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": true },
      svg("rect", { x: Math.min(from, 99.4), width: ok ? Math.max(width, 0.6) : Math.max(width, 2), height: 8 }));
    from += width;
    return h("tr", { class: ok ? "" : "broken" },
      h("th", { scope: "row" }, ok ? "" : h("i", { "aria-label": "failed" }, "✗ "), STAGES[index]),
      h("td", { class: "bar" }, bar),
      h("td", { class: "number" }, wall === null ? (ok ? "" : "did not come back") : seconds(wall)),
      h("td", { class: "number" }, seconds(cpu)),
      h("td", { class: "number" }, mebibytes(peak)),
      h("td", {}, ...kept.map(keptLink), attributes.length ? h("small", {}, attributes.map(([name, value]) => `${name} ${value}`).join(", ")) : null));
  });
  return part("Stages", wide(h("table", { class: "stages" }, headRow("Stage", "", "#Wall", "#CPU", "#Memory", "Kept"), h("tbody", {}, ...rows))));
}

/** A head; "#" makes a column of numbers. */
const headRow = (...names) => h("thead", {}, h("tr", {}, ...names.map((name) => (name ? h("th", { scope: "col", class: name.startsWith("#") && "number" }, name.replace(/^#/, "")) : h("td")))));
const wide = (table) => h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "table" }, table);

function checksPart(outputs) {
  const more = outputs.find((output) => typeof output === "number");
  const rows = outputs.filter((output) => typeof output !== "number").flatMap(([path, shape, dtype, checks, golden, actual]) =>
    checks.map(([metric, measured, required, flags, reason], at) => h("tr", { class: flags & 1 ? "" : flags & 2 ? "bad" : "weak" },
      at ? h("td") : h("th", { scope: "row" }, bdi(path), h("small", {}, ` ${shape} ${dtype}${golden || actual ? `, not finite: golden ${golden}, here ${actual}` : ""}`)),
      h("td", {}, metric),
      h("td", { class: "number" }, required === null ? "" : `${metric === "pcc" ? "≥" : "≤"} ${required}`),
      h("td", { class: "number" }, measured === null || (required === null && (measured === 0 || measured === "undefined")) ? "" : String(measured)),
      h("td", {}, flags & 1 ? "✓" : "✗", flags & 2 ? "" : " recorded only", reason && h("small", {}, ` ${reason}`)))));
  return rows.length ? part("Required beside measured", wide(h("table", { class: "checks" }, headRow("Output", "Check", "#Required", "#Measured", "Holds"), h("tbody", {}, ...rows))), more && h("p", { class: "aside" }, `and ${more} more outputs, in the spreadsheet`)) : null;
}

/** The ops of a test, the worst first; each unfolds to what it is and how it was judged. */
function opsOfTest(page, ops, cell) {
  const test = ops.tests.find(([of]) => of === cell);
  if (!test) return null;
  const [, from, count, found] = test;
  const order = Array.from({ length: count }, (_, i) => from + i).sort((a, b) => opRank(ops, ops.verdict[a]) - opRank(ops, ops.verdict[b]) || a - b);
  const rows = order.map((i) => () => {
    const v = ops.verdict[i], [name, inputs] = ops.variants[ops.variant[v]];
    const row = h("tr", {}, h("th", { scope: "row" }, h("button", { type: "button", class: "op-name", "aria-expanded": "false", onclick: (event) => unfold(event.currentTarget, () => opDetail(page, ops, i, cell)) }, bdi(ops.names[name])), h("small", {}, bdi(ops.texts[inputs]))),
      h("td", {}, opBadge(ops, v)), h("td", { class: "number" }, String(ops.status[v])), h("td", { class: "number" }, String(ops.count[i])), h("td", {}, ops.lines[ops.line[v]]));
    return row;
  });
  const body = h("tbody");
  const more = h("button", { type: "button", class: "chip", onclick: () => show() });
  let shown = 0;
  const show = () => {
    body.append(...rows.slice(shown, shown + MOST_OPS).map((make) => make()));
    shown = Math.min(shown + MOST_OPS, rows.length);
    more.textContent = `${rows.length - shown} more`;
    more.hidden = shown === rows.length;
  };
  show();
  return part(`Ops: ${found} unique${found > count ? `, ${found - count} never begun` : ""}`, wide(h("table", { class: "ops" }, headRow("Op", "Outcome", "#Status", "#Times", "Failure"), body)), more);
}

const opBadge = (ops, v) => h("b", { class: `badge o-${ops.outcomes[ops.outcome[v]]}` }, ops.outcomes[ops.outcome[v]]);
const opRank = (ops, v) => (ops.isGood[ops.outcome[v]] ? 9 : 0) + ops.status[v] / 10;

/** Puts a row below the one of a button, or takes it away. */
function unfold(button, make) {
  const row = button.closest("tr"), open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  if (open) row.nextSibling.remove();
  else row.after(h("tr", { class: "unfolded" }, h("td", { colspan: row.children.length }, ...make())));
}

function opDetail(page, ops, i, cell) {
  const v = ops.verdict[i], [name, inputs, outputs, attributes, key] = ops.variants[ops.variant[v]];
  const facts = [
    ["operands", ops.texts[inputs]], ["results", ops.texts[outputs]], ["attributes", ops.texts[attributes]],
    ["PCC", ops.pcc[v] ? pccText(ops.pcc[v]) : ""], ["largest difference", ops.atol[v] ? off(onScale(ops.atol[v])) : ""], ["compared with", ops.goldens[ops.golden[v]]],
    ["time", seconds(onScale(ops.seconds[v]))], ["index", String(ops.index[i])], ["verdict", ["computed now", "cached", "cached, rechecked"][ops.cached[i]]], ["key", key],
  ].filter(([, value]) => value);
  return [
    h("dl", { class: "facts" }, ...facts.map(([fact, value]) => h("div", {}, h("dt", {}, fact), h("dd", {}, bdi(value))))),
    h("p", {}, ...(ops.kept[v] ?? []).map(keptLink), h("a", { href: `#p=op:${encodeURIComponent(ops.names[name])}` }, "this op in all models")),
    ops.blocks[v] ? command(reproduce(page, ops, i, cell)) : "",
  ];
}

/** Levels whose text is another than the last good night's: side by side, or each on its page. */
function textsPart(page, detail) {
  if (!detail.t) return null;
  return part("IR that is another than on the last good night", h("ul", { class: "plain" }, ...detail.t.map(([, level, run, before, after, old, now]) =>
    h("li", {}, before ? h("button", { type: "button", class: "chip", onclick: () => page.go({ i: level }) }, `${level} side by side`) : h("b", {}, level),
      " ", old && link(old, `of ${run}`), " ", now && link(now, "of tonight")))));
}
