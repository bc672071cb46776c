/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// A device's night: what ran when, how many at a time, what the machine did.

const MACHINE = ["INFRA", "KILLED", "NOT_RUN"];
const IDLE = 60;
/** Seconds without a test that are worth a word. */
const MOST_BARS = 1200;

/** Tests of a device by their begin: cell, begin and end in seconds since the first test. */
function spans(page, past, device) {
  const { grid, table } = page, found = [];
  for (let cell = device; cell < table.cells; cell += table.width) {
    if (!past.started[cell] || !grid.outcome[cell]) continue;
    const begin = (past.started[cell] - 1) / 10;
    found.push({ cell, begin, end: begin + (onScale(grid.seconds[cell]) || 0) });
  }
  return found.sort((a, b) => a.begin - b.begin);
}

/** Each span gets the first lane that is free. */
function lanes(found) {
  const free = [];
  for (const span of found) {
    let lane = free.findIndex((until) => until <= span.begin + 0.05);
    if (lane < 0) lane = free.push(0) - 1;
    free[lane] = span.end;
    span.lane = lane;
  }
  return free.length;
}

async function devicePanel(page, device) {
  const { grid, table } = page, at = grid.devices.indexOf(device), past = await columnsOf("past");
  const found = spans(page, past, at), count = lanes(found);
  const begin = found[0]?.begin ?? 0, end = Math.max(...found.map((span) => span.end), begin + 1);
  const busy = found.reduce((sum, span) => sum + span.end - span.begin, 0);
  const idle = [];
  let until = begin;
  for (const span of found) {
    if (span.begin - until >= IDLE) idle.push([until, span.begin]);
    until = Math.max(until, span.end);
  }
  const incidents = [];
  let waiting = 0;
  for (let cell = at; cell < table.cells; cell += table.width) {
    const name = grid.outcome[cell] ? grid.outcomes[grid.outcome[cell] - 1][0] : "";
    if (MACHINE.includes(name)) incidents.push(cell);
    if (name === "NOT_RUN" || name === "no record") waiting++;
  }
  return {
    title: device,
    where: found.length ? `${counted(found.length, "test")}, ${clock(past.begin + begin)} to ${clock(past.begin + end)} UTC` : "no test began here",
    body: [
      found.length ? part("The night", timeline(page, found, count, begin, end),
        h("p", { class: "aside" }, `${Math.round((100 * busy) / ((end - begin) * Math.max(count, 1)))} % of ${counted(count, "lane")} busy; ${counted(waiting, "test")} left in the queue.`)) : null,
      idle.length ? part("Drains: nothing ran", h("ul", { class: "plain" }, ...idle.map(([from, to]) => h("li", {}, `${clock(past.begin + from)} to ${clock(past.begin + to)}, ${seconds(to - from)}`)))) : null,
      part("Infrastructure incidents", incidents.length ? wide(h("table", {}, headRow("Test", "Outcome", "Why"), h("tbody", {}, ...incidents.slice(0, 100).map((cell) =>
        h("tr", {}, h("th", { scope: "row" }, cellLink(page, cell)), h("td", {}, badge(grid.outcomes[grid.outcome[cell] - 1])), h("td", {}, grid.lines[grid.line[cell]])))))) : h("p", { class: "aside" }, "none")),
      part("How far its models get", funnel(page, at)),
      await estimatesOfDevice(page, at),
      part("", h("button", { type: "button", class: "chip", onclick: () => page.only({ d: new Set([device]) }) }, "show its tests only")),
    ],
  };
}

/** Bars of tests in lanes, above how many ran at a time. */
function timeline(page, found, count, begin, end) {
  const width = 560, tall = Math.max(4, Math.min(14, 120 / Math.max(count, 1))), height = count * tall + 34;
  const x = (t) => ((t - begin) / (end - begin)) * width;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "timeline", role: "img", "aria-label": `${counted(found.length, "test")} in ${counted(count, "lane")}` });
  for (const span of found.slice(0, MOST_BARS)) {
    const name = page.grid.outcomes[page.grid.outcome[span.cell] - 1][0], title = svg("title");
    title.textContent = `${page.grid.names[Math.floor(span.cell / page.table.width)]}, ${name}, ${seconds(span.end - span.begin)}`;
    picture.append(svg("rect", { class: `o-${name.replace(" ", "-")}`, x: x(span.begin), y: span.lane * tall, width: Math.max(x(span.end) - x(span.begin) - 0.4, 0.5), height: tall - 1 }, title));
  }
  const steps = 112, load = new Float64Array(steps);
  for (const { begin: from, end: to } of found) {
    for (let i = Math.max(0, Math.floor((steps * (from - begin)) / (end - begin))); i < steps && begin + ((end - begin) * i) / steps < to; i++) load[i]++;
  }
  const base = height - 12;
  let path = `M0 ${base}`;
  load.forEach((n, i) => (path += `L${(width * i) / steps} ${base - (18 * n) / Math.max(count, 1)}L${(width * (i + 1)) / steps} ${base - (18 * n) / Math.max(count, 1)}`));
  picture.append(svg("path", { class: "load", d: `${path}L${width} ${base}Z` }));
  return picture;
}

/** How many of a device's tests get to each stage, and who falls out. */
function funnel(page, at) {
  const { grid, table } = page;
  const steps = [["captured", 1], ["StableHLO", 4], ["device IR", 5], ["compiled", 6], ["executed", 7], ["correct", 8]];
  const skip = new Set(["SKIPPED", ...MACHINE, "no record"]), levels = [];
  for (let cell = at; cell < table.cells; cell += table.width) {
    const name = grid.outcome[cell] ? grid.outcomes[grid.outcome[cell] - 1][0] : "";
    if (!name || skip.has(name)) continue;
    levels.push({ level: grid.status[cell] === 7 && name === "PASSED" ? 8 : grid.status[cell], done: name === "REACHED" || grid.compileOnly[at] });
  }
  if (!levels.length) return h("p", { class: "aside" }, "nothing that says anything of a model");
  return h("ol", { class: "funnel" }, ...steps.flatMap(([name, level], i) => {
    // what was to be compiled only falls out of no later step
    const own = level < 7 ? levels : levels.filter((one) => !one.done);
    if (!own.length) return [];
    const there = own.filter((one) => one.level >= level).length;
    const out = own.filter((one) => one.level < level && one.level >= (i ? steps[i - 1][1] : -1)).length;
    return [h("li", {}, h("span", {}, name),
      svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": true }, svg("rect", { width: (100 * there) / own.length, height: 10 })),
      h("b", {}, String(there)), h("small", {}, out ? `−${out}` : ""))];
  }));
}
