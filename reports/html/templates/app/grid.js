/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// Models by devices. Only rows in sight are elements; they are used again as others come into sight.

const SPARE = 2;
/** Rows drawn beyond each edge, so that a turn of the wheel shows no gap. */
const MOST_PRINTED = 2000;
const MOST_WORDS = 10;
/** Devices whose outcomes are printed in words: a page is not wide enough for more. */
const MOST_CELL = 150, MOST_NAME = 720;
/** Pixels: a strip of nights and a name need no more. */
const STRIP_FROM = 84;
/** Pixels of a cell that has room for its last nights. */

class Grid {
  /** @param {Table} table @param {(cell: number) => void} open */
  constructor(table, open, sort) {
    this.table = table;
    this.grid = table.grid;
    this.open = open;
    this.box = find("grid-box");
    this.head = find("grid-head");
    this.body = find("grid-body");
    this.rows = [];
    this.fits = new Uint8Array(0);
    this.pool = [];
    this.free = [];
    this.drawn = new Map();
    this.focused = { row: 0, column: 0 };
    this.selected = -1;
    this.era = 0;
    this.briefs = new Map();
    this.makeHead(sort);
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("mouseover", ({ target }) => {
      const cell = target.closest(".cell"); // all there is to say only where somebody points
      if (cell?.dataset.cell >= 0) cell.title = this.words(Number(cell.dataset.cell));
    });
    this.body.addEventListener("focusin", (event) => this.remember(event.target));
    new ResizeObserver(() => this.measure()).observe(this.box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.colours = null; this.era++; this.redraw(); });
    addEventListener("beforeprint", () => this.print());
    addEventListener("afterprint", () => this.unprint());
    this.measure();
  }

  makeHead(sort) {
    const names = [["name", "Test"], ...this.grid.devices.map((device) => [device, device]), ["seconds", "Time"]];
    this.heads = names.map(([by, name], column) => {
      const button = h("button", { type: "button", title: `sort by ${name}`, onclick: () => sort(by) }, h("bdi", { class: "t" }, name));
      return h("div", { role: "columnheader", class: column === 0 ? "name" : by === "seconds" ? "time" : "cell", "aria-colindex": column + 1 }, button);
    });
    this.order = names.map(([by]) => by);
    this.head.append(...this.heads);
    this.box.setAttribute("aria-colcount", names.length);
  }

  /** How wide cells can be; heads are upright where they fit. */
  measure() {
    const phone = this.box.clientWidth < 560;
    const least = Math.min(340, Math.max(200, this.box.clientWidth * 0.26));
    const left = this.box.clientWidth - 76 - this.table.width * MOST_CELL; // where devices are few
    const name = phone ? 0 : Math.max(least, Math.min(left, MOST_NAME));
    const cell = Math.floor((this.box.clientWidth - name - (phone ? 8 : 76)) / Math.max(this.table.width, 1));
    this.cellWidth = Math.max(26, Math.min(cell, MOST_CELL));
    this.strip = this.cellWidth >= STRIP_FROM && this.grid.nights.length > 1;
    this.box.style.setProperty("--cell", `${this.cellWidth}px`);
    this.box.style.setProperty("--name", `${name}px`);
    this.box.classList.toggle("phone", phone);
    this.box.classList.toggle("upright", this.cellWidth < 64);
    this.rowHeight = phone ? 52 : 28;
    this.box.style.setProperty("--row", `${this.rowHeight}px`);
    this.redraw();
  }

  show(found, fits, order) {
    this.rows = found.rows;
    this.fits = fits;
    const [by, down] = [order.replace(/\.desc$/, ""), order.endsWith(".desc")];
    this.heads.forEach((head, at) => {
      if (this.order[at] === by) head.setAttribute("aria-sort", down === (by === "name") ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.box.setAttribute("aria-rowcount", this.rows.length + 1);
    this.focused.row = Math.min(this.focused.row, Math.max(this.rows.length - 1, 0));
    this.redraw();
  }

  redraw() {
    const height = `${this.rows.length * this.rowHeight}px`;
    if (this.body.style.height !== height) this.body.style.height = height;
    this.draw(true);
  }

  /** Draws what is in sight; rows that are there already are filled anew only where `again`. */
  draw(again = false) {
    const top = this.box.scrollTop - this.head.offsetHeight;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - SPARE);
    const last = Math.min(this.rows.length, Math.ceil((top + this.box.clientHeight) / this.rowHeight) + SPARE + 1);
    for (const [at, element] of this.drawn) {
      if (at < first || at >= last) { this.drawn.delete(at); this.free.push(element); }
    }
    for (let at = first; at < last; at++) {
      const old = this.drawn.get(at);
      if (!old || again) this.drawn.set(at, this.row(at, old));
    }
    for (const element of this.free) element.remove();
    this.pool.push(...this.free.filter((element) => !element.classList.contains("group")));
    this.free = [];
  }

  /** A row at its place, out of the element that is there, or of one that went out of sight. */
  row(at, old) {
    const entry = this.rows[at], isGroup = entry.title !== undefined;
    let element = old;
    if (isGroup || !old || old.classList.contains("group")) {
      if (old) this.free.push(old);
      element = isGroup ? this.groupRow(entry) : this.spare();
    }
    if (!isGroup) this.fillRow(element, entry, at);
    if (element.dataset.at !== String(at)) {
      element.dataset.at = at;
      element.style.transform = `translateY(${at * this.rowHeight}px)`;
      element.setAttribute("aria-rowindex", at + 2);
    }
    if (element.height !== this.rowHeight) {
      element.height = this.rowHeight;
      element.style.transform = `translateY(${at * this.rowHeight}px)`;
    }
    if (!element.isConnected) this.body.append(element);
    return element;
  }

  /** An element of a test's row: one that left sight just now, one of before, or a new one. */
  spare() {
    const at = this.free.findIndex((element) => !element.classList.contains("group"));
    return at >= 0 ? this.free.splice(at, 1)[0] : this.pool.pop() ?? this.emptyRow();
  }

  groupRow({ title, count, bad, left, good, of }) {
    const parts = [bad && `${bad} need attention`, left && `${left} left out`].filter(Boolean);
    const said = parts.join(" · ") || "all good";
    const head = h("div", { role: "rowheader", class: "name", "aria-colindex": 1 }, bdi(title), h("small", {}, `${count} · ${said}`));
    return h("div", { role: "row", class: "row group" }, head, ...this.grid.devices.map((device, at) => this.share(device, at, good[at], of[at])));
  }

  /** How many of a group are good on a device; in little room as a percentage. */
  share(device, at, good, of) {
    const shown = !of ? "" : this.cellWidth < 48 ? `${Math.floor((100 * good) / of)}%` : `${good}/${of}`;
    const title = of ? `${good} of ${of} good on ${device}` : null;
    return h("div", { role: "gridcell", class: good === of ? "share" : "share less", "aria-colindex": at + 2, title }, shown);
  }

  fillRow(element, { row, device }, at) {
    const [name, ...cells] = element.children;
    const other = this.grid.models[row];
    if (element.row !== row) {
      element.row = row;
      name.firstChild.textContent = this.grid.names[row];
      name.lastChild.textContent = other;
      name.title = other ? `${this.grid.names[row]} (${other})` : this.grid.names[row];
    }
    let total = 0;
    for (let column = 0; column < this.table.width; column++) {
      const cell = row * this.table.width + column;
      const shown = device < 0 || device === column ? cell : -1;
      this.fill(cells[column], shown, at, column);
      if (shown >= 0) total += onScale(this.grid.seconds[cell]) || 0;
    }
    const time = total ? seconds(total) : "", last = cells.at(-1);
    if (last.textContent !== time) last.textContent = time;
  }

  emptyRow() {
    const cells = this.grid.devices.map((_, column) =>
      h("div", { role: "gridcell", class: "cell", "aria-colindex": column + 2 }, h("i", { "aria-hidden": true }), h("canvas", { height: 12, "aria-hidden": true })));
    return h("div", { role: "row", class: "row" },
      h("div", { role: "rowheader", class: "name", "aria-colindex": 1 }, bdi(""), bdi("")),
      ...cells, h("div", { role: "gridcell", class: "time", "aria-colindex": this.heads.length }));
  }

  fill(element, cell, at, column) {
    const { grid } = this, [glyph, canvas] = element.children;
    const outcome = cell < 0 ? 0 : grid.outcome[cell];
    const dim = outcome && !this.fits[cell] ? " dim" : "";
    const focus = this.focused.row === at && this.focused.column === column;
    const key = `${cell} ${this.fits[cell]} ${focus} ${this.strip && this.cellWidth} ${cell === this.selected} ${this.era}`;
    if (element.shows === key && cell >= 0) return;
    element.shows = key;
    element.dataset.cell = outcome ? cell : -1;
    element.className = outcome ? `cell o-${grid.outcomes[outcome - 1][0].replace(" ", "-")}${dim}${this.mark(cell)}` : "cell none";
    glyph.textContent = outcome ? grid.outcomes[outcome - 1][1] : "";
    if (outcome) {
      element.setAttribute("aria-label", this.brief(cell));
      element.tabIndex = focus ? 0 : -1;
    } else {
      element.removeAttribute("aria-label");
      element.removeAttribute("title");
      element.removeAttribute("tabindex");
    }
    element.classList.toggle("chosen", cell >= 0 && cell === this.selected);
    canvas.hidden = !(this.strip && outcome);
    if (!canvas.hidden) this.paint(canvas, grid.row[cell] - 1);
  }

  /** A class for what tonight is new. */
  mark(cell) {
    const word = this.grid.judgements[this.grid.judged[cell] - 1];
    return ["regression", "suspected", "new"].includes(word) ? " new" : word === "fixed" ? " fixed" : "";
  }

  /** Outcome, device and judgement: made once for all cells that have the same. */
  brief(cell) {
    const { grid } = this, column = cell % this.table.width;
    const key = (grid.outcome[cell] * 64 + grid.judged[cell]) * this.table.width + column;
    let text = this.briefs.get(key);
    if (text === undefined) {
      const judged = grid.judgements[grid.judged[cell] - 1];
      text = `${grid.outcomes[grid.outcome[cell] - 1][0]} on ${grid.devices[column]}${judged && judged !== "good" ? `, ${judged}` : ""}`;
      this.briefs.set(key, text);
    }
    return text;
  }

  words(cell) {
    const { grid } = this, column = cell % this.table.width;
    const parts = [`${grid.outcomes[grid.outcome[cell] - 1][0]} on ${grid.devices[column]}`];
    const judged = grid.judgements[grid.judged[cell] - 1];
    if (judged && judged !== "good") parts.push(judged);
    parts.push(`reached ${grid.statuses[grid.status[cell]]}`);
    if (grid.pcc[cell]) parts.push(`PCC ${pccText(grid.pcc[cell])}`);
    if (grid.seconds[cell]) parts.push(seconds(onScale(grid.seconds[cell])));
    if (grid.line[cell]) parts.push(grid.lines[grid.line[cell]]);
    return parts.join(", ");
  }

  /** The last nights of a test: full height is bad, half is good, a dot no evidence. */
  paint(canvas, row) {
    const nights = this.grid.nights.length, ratio = devicePixelRatio || 1;
    const width = this.cellWidth - 30, step = Math.min(3, width / nights);
    canvas.style.width = `${width}px`;
    if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(12 * ratio); }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, 12);
    if (row < 0) return;
    this.colours ??= this.readColours();
    const first = row * nights, { past } = this.grid;
    for (let night = 0, until; night < nights; night = until) {
      const code = past[first + night];
      until = night + 1;
      while (until < nights && past[first + until] === code) until++; // nights alike are one bar
      if (!code) continue;
      const outcome = code & ~NO_EVIDENCE, weak = code & NO_EVIDENCE;
      pen.fillStyle = weak ? this.colours.none : this.colours.outcome[outcome];
      const tall = weak ? 2 : this.table.isGood[outcome] ? 5 : 12;
      pen.fillRect(night * step, 12 - tall, Math.max((until - night) * step - 0.6, 0.8), tall);
    }
  }

  readColours() {
    const probe = h("span", { class: "unseen" });
    this.body.append(probe);
    const outcome = ["", ...this.grid.outcomes.map(([name]) => {
      probe.className = `unseen o-${name.replace(" ", "-")}`;
      return getComputedStyle(probe).getPropertyValue("--c");
    })];
    probe.className = "unseen";
    const none = getComputedStyle(probe).getPropertyValue("--soft");
    probe.remove();
    return { outcome, none };
  }

  // --- one cell ----------------------------------------------------------------------------

  click(event) {
    const cell = Number(event.target.closest(".cell")?.dataset.cell ?? -1);
    if (cell >= 0) this.open(cell);
  }

  remember(target) {
    const element = target.closest(".cell");
    if (!element) return;
    for (const old of this.body.querySelectorAll(".cell[tabindex='0']")) { old.tabIndex = -1; old.shows = ""; }
    element.tabIndex = 0;
    element.setAttribute("aria-label", this.words(Number(element.dataset.cell)));
    element.shows = "";
    this.focused = { row: Number(element.parentElement.dataset.at), column: element.getAttribute("aria-colindex") - 2 };
  }

  key(event) {
    const element = event.target.closest?.(".cell");
    if (!element || !this.body.contains(element)) return;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [-Infinity, 0], End: [Infinity, 0] }[event.key];
    if (event.key === "Enter" || event.key === " ") this.open(Number(element.dataset.cell));
    else if (step) this.move(...step);
    else return;
    event.preventDefault();
  }

  /** To the next cell that has something, that way. */
  move(down, right) {
    const { width } = this.table, last = this.rows.length - 1;
    let { row, column } = this.focused;
    if (right) {
      for (let at = column + right; at >= 0 && at < width; at += right) if (this.has(row, at)) { column = at; break; }
    } else {
      const way = Math.sign(down), goal = Math.max(0, Math.min(last, row + down));
      for (let at = goal; at >= 0 && at <= last; at += way) if (this.has(at, column)) { row = at; break; }
      if (row === this.focused.row) for (let at = goal; at >= 0 && at <= last; at -= way) if (this.has(at, column)) { row = at; break; }
    }
    this.focus(row, column);
  }

  has(at, column) {
    const entry = this.rows[at];
    if (!entry || entry.title !== undefined || (entry.device >= 0 && entry.device !== column)) return false;
    return this.grid.outcome[entry.row * this.table.width + column] > 0;
  }

  focus(row, column) {
    this.focused = { row, column };
    this.into(row);
    const element = this.drawn.get(row)?.children[column + 1];
    if (element) { this.remember(element); element.focus({ preventScroll: true }); }
  }

  into(row) {
    const top = row * this.rowHeight, room = this.box.clientHeight - this.head.offsetHeight;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + this.rowHeight > this.box.scrollTop + room) this.box.scrollTop = top + this.rowHeight - room;
    this.draw();
  }

  /** Marks the cell whose panel is open. */
  choose(cell) {
    this.selected = cell;
    for (const element of this.body.querySelectorAll(".cell.chosen")) { element.classList.remove("chosen"); element.shows = ""; }
    if (cell < 0) return; // no panel is open, and cells without a test have -1 too
    this.body.querySelector(`.row > .cell[data-cell='${cell}']`)?.classList.add("chosen");
  }

  /** The cell after or before one, of those that fit, in the order of rows. */
  next(cell, way) {
    const order = [];
    for (const { row, device, title } of this.rows) {
      if (title !== undefined) continue;
      for (let at = 0; at < this.table.width; at++) {
        const one = row * this.table.width + at;
        if (this.fits[one] && (device < 0 || device === at)) order.push(one);
      }
    }
    return order[order.indexOf(cell) + way] ?? -1;
  }

  focusCell(cell) {
    const row = this.rows.findIndex((entry) => entry.row === Math.floor(cell / this.table.width));
    if (row >= 0) this.focus(row, cell % this.table.width);
  }

  inSight() {
    const { top, bottom } = this.box.getBoundingClientRect();
    return top < innerHeight - 120 && bottom > 120;
  }

  // --- on paper ----------------------------------------------------------------------------

  print() {
    this.dense = this.grid.devices.length > MOST_WORDS;
    this.printed = h("table", { class: this.dense ? "printed dense" : "printed" },
      h("thead", {}, h("tr", {}, h("th", {}, "Test"), ...this.grid.devices.map((device) => h("th", {}, bdi(device))), h("th", {}, "Time"))),
      h("tbody", {}, ...this.rows.slice(0, MOST_PRINTED).map((entry) => this.printedRow(entry))));
    const left = this.rows.length - MOST_PRINTED;
    this.box.after(this.printed);
    if (left > 0) this.printed.append(h("caption", {}, `${left} more rows are not printed; filter the table first`));
  }

  printedRow({ row, device, title, count, good, of }) {
    if (title !== undefined) {
      const shares = this.grid.devices.map((_, at) => h("td", {}, of[at] ? `${good[at]}/${of[at]}` : ""));
      return h("tr", { class: "group" }, h("th", {}, `${title} (${count})`), ...shares, h("td"));
    }
    let total = 0;
    const cells = this.grid.devices.map((_, at) => {
      const cell = row * this.table.width + at, outcome = this.grid.outcome[cell];
      if (!outcome || (device >= 0 && device !== at)) return h("td");
      total += onScale(this.grid.seconds[cell]) || 0;
      const [name, symbol] = this.grid.outcomes[outcome - 1];
      return h("td", { class: `o-${name.replace(" ", "-")}` }, h("b", {}, symbol), this.dense ? "" : ` ${name}`);
    });
    return h("tr", {}, h("th", {}, bdi(this.grid.names[row])), ...cells, h("td", {}, seconds(total || NaN)));
  }

  unprint() {
    this.printed?.remove();
  }
}

/** A correlation by how far it is from 1, rounded so that only a true 1 reads 1. */
function pccText(code) {
  const off = onScale(code);
  if (off <= 1e-6) return code <= 1 ? "1" : "0.999999";
  const digits = Math.min(6, Math.max(2, Math.ceil(-Math.log10(off)) + 1));
  return (Math.floor((1 - off) * 10 ** digits) / 10 ** digits).toFixed(digits);
}
