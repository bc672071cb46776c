/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// What models would take on devices: does it fit, how long, and what takes the time.

const [TOO_LARGE, BY_MEMORY, AT_LEAST, REFUSED] = [2, 4, 8, 16];
const MOST_ESTIMATES = 400, OPEN_UNTIL = 20;
/** Rows of the table of models and devices, the spreadsheet has all; up to how many it is open. */

/** "needs 436 MiB of 80.0 GiB", in words. */
function fitText(taken, cell) {
  const flags = taken.flags[cell], need = mebibytes(onScale(taken.need[cell])), room = mebibytes(taken.room[cell]);
  if (flags & REFUSED) return `does not fit in ${room}, says the compiler`;
  return `${flags & TOO_LARGE ? "does not fit: " : ""}${flags & AT_LEAST ? "at least " : ""}${need} of ${room}`;
}

/** An op is far below what anybody measures. */
function span(value) {
  for (const [unit, size] of [["ns", 1e-9], ["µs", 1e-6]]) if (value < 999 * size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  return seconds(value);
}

const takesText = (taken, cell) => (taken.time[cell] ? `≥ ${span(onScale(taken.time[cell]))}` : "");
const boundText = (taken, cell) => (taken.time[cell] ? (taken.flags[cell] & BY_MEMORY ? "memory" : "compute") : "");

/** A device's tests that have an estimate, in a table; nothing where none has. */
async function estimatesOfDevice(page, at) {
  if (!find("estimates-data")) return null;
  const taken = await columnsOf("estimates-data"), rows = [];
  for (let cell = at; cell < page.table.cells; cell += page.table.width) if (taken.flags[cell]) rows.push(cell);
  if (!rows.length) return null;
  return part("What its models would take",
    wide(h("table", {}, headRow("Test", "Memory", "Time", "Bound by"), h("tbody", {}, ...rows.slice(0, MOST_ESTIMATES).map((cell) =>
      h("tr", {}, h("th", { scope: "row" }, cellLink(page, cell)), h("td", {}, fitText(taken, cell)), h("td", {}, takesText(taken, cell)), h("td", {}, boundText(taken, cell))))))));
}

/** The table of models and devices, made when it is opened. */
function drawEstimates(page) {
  const place = find("estimates");
  place?.addEventListener("toggle", async () => {
    if (!place.open || place.querySelector("table")) return;
    const { grid, table } = page, taken = await columnsOf("estimates-data"), height = table.cells / table.width;
    const known = (cell) => taken.flags[cell];
    const devices = grid.devices.map((_, at) => at).filter((at) => { for (let cell = at; cell < table.cells; cell += table.width) if (known(cell)) return true; return false; });
    const rows = [];
    for (let row = 0; row < height; row++) if (devices.some((at) => known(row * table.width + at))) rows.push(row);
    const one = (cell) => (known(cell) ? h("td", { class: taken.flags[cell] & TOO_LARGE || taken.flags[cell] & REFUSED ? "toolarge" : null },
      h("a", { href: `#p=${encodeURIComponent(table.anchor(cell))}`, title: fitText(taken, cell) }, taken.flags[cell] & (TOO_LARGE | REFUSED) ? "does not fit" : takesText(taken, cell) || "fits"),
      h("small", {}, ` ${[boundText(taken, cell), fitText(taken, cell).replace("does not fit: ", "")].filter(Boolean).join(", ")}`)) : h("td", {}));
    const shown = rows.slice(0, MOST_ESTIMATES), name = (row) => grid.names[row], device = (at) => grid.devices[at];
    // a wide table of a few rows is read downwards
    const [title, down, across, downName, acrossName, cell] = shown.length < devices.length
      ? ["Device", devices, shown, device, name, (at, row) => row * table.width + at]
      : ["Test", shown, devices, name, device, (row, at) => row * table.width + at];
    place.append(wide(h("table", {}, headRow(title, ...across.map(acrossName)),
      h("tbody", {}, ...down.map((line) => h("tr", {}, h("th", { scope: "row" }, bdi(downName(line))), ...across.map((column) => one(cell(line, column)))))))));
    if (rows.length > MOST_ESTIMATES) place.append(h("p", { class: "aside" }, `${rows.length - MOST_ESTIMATES} more are in the spreadsheet.`));
  });
  if (place && page.table.cells / page.table.width <= OPEN_UNTIL) place.open = true;
}
