/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// Which rows and cells fit a view: loops over typed arrays, nothing of the document.

const NO_EVIDENCE = 0x80;

class Table {
  /** @param {Object} grid the unpacked grid */
  constructor(grid) {
    this.grid = grid;
    this.width = grid.devices.length;
    this.height = grid.names.length;
    this.cells = grid.outcome.length;
    this.texts = grid.names.map((name, row) => `${name} ${grid.models[row]}`.toLowerCase());
    this.lines = grid.lines.map((line) => line.toLowerCase());
    this.results = this.countResults();
    this.places = null;
    const { outcomes, judgements } = grid;
    this.isGood = Uint8Array.from([1, ...outcomes.map((outcome) => outcome[3])]);
    const usual = new Set([0, 1 + judgements.indexOf("good")]);
    // quiet: nobody needs to look at it; unrun: the budget left it out, on some device at least
    this.quiet = new Uint8Array(this.height);
    this.unrun = new Uint8Array(this.height);
    for (let row = 0, cell = 0; row < this.height; row++) {
      let quiet = 1;
      for (let at = 0; at < this.width; at++, cell++) {
        if (grid.left_out[cell]) this.unrun[row] = 1;
        else if (!this.isGood[grid.outcome[cell]] || !usual.has(grid.judged[cell])) quiet = 0;
      }
      this.quiet[row] = quiet;
    }
  }

  /** By cell, which of all results it has; -1 of one without. */
  countResults() {
    const lost = this.grid.outcomes.length, found = new Int32Array(this.cells).fill(-1);
    for (let cell = 0, count = 0; cell < this.cells; cell++) {
      const outcome = this.grid.outcome[cell];
      if (outcome && outcome !== lost) found[cell] = count++;
    }
    return found;
  }

  anchor(cell) {
    const { anchor } = this.grid, part = (i) => anchor[i].toString(16).padStart(8, "0");
    return `t-${part(2 * cell)}${part(2 * cell + 1)}`;
  }

  /** The cell of an anchor; -1 where there is none. */
  cellOf(anchor) {
    if (!this.places) {
      this.places = new Map();
      for (let cell = 0; cell < this.cells; cell++) if (this.grid.outcome[cell]) this.places.set(this.anchor(cell), cell);
    }
    return this.places.get(anchor) ?? -1;
  }

  /** uint8 by cell: does it fit? Without a cell it never does. */
  fitting(view) {
    const { grid, width, height, cells } = this;
    const fits = new Uint8Array(cells);
    const some = (set, names) => set.size === 0 ? null : Uint8Array.from([0, ...names.map((name) => Number(set.has(name)))]);
    const outcomes = some(view.o, grid.outcomes.map((outcome) => outcome[0]));
    const judgements = some(view.j, grid.judgements);
    const devices = view.d.size ? grid.devices.map((device) => view.d.has(device)) : null;
    const list = view.l ? grid.lists.indexOf(view.l) : -1;
    const causes = this.causesFor(view);
    const words = view.q.toLowerCase().split(/\s+/).filter(Boolean);
    const inLines = words.map((word) => Uint8Array.from(this.lines, (line) => Number(line.includes(word))));
    for (let row = 0, cell = 0; row < height; row++) {
      const text = this.texts[row];
      const open = []; // words that the row's own name has not
      for (let i = 0; i < words.length; i++) if (!text.includes(words[i])) open.push(inLines[i]);
      for (let at = 0; at < width; at++, cell++) {
        if (!grid.outcome[cell]) continue;
        if (devices && !devices[at]) continue;
        if (outcomes && !outcomes[grid.outcome[cell]]) continue;
        if (judgements && !judgements[grid.judged[cell]]) continue;
        if (view.l && grid.list[cell] !== list) continue;
        if (causes && !causes[grid.cause[cell]]) continue;
        if (open.length && !open.every((found) => found[grid.line[cell]])) continue;
        fits[cell] = 1;
      }
    }
    return fits;
  }

  causesFor(view) {
    if (!view.c && !view.w) return null;
    const fit = (cause) => (!view.c || cause.id === view.c) && (!view.w || cause.owner === view.w);
    return Uint8Array.from([0, ...this.grid.causes.map((cause) => Number(fit(cause)))]);
  }

  /**
   * Rows to draw: { row, device } of a test (device -1: all), { title, count, bad, left, good, of }
   * of a group.
   * Rows that are good and have nothing to say, or that the budget left out, are not where `folded`;
   * their group is.
   */
  rows(view, fits, folded) {
    const shown = [], every = [];
    let hidden = 0, unrun = 0;
    for (let row = 0; row < this.height; row++) {
      let any = 0;
      for (let at = 0, cell = row * this.width; at < this.width; at++, cell++) any |= fits[cell];
      if (!any) continue;
      if (view.g) every.push(row);
      if (folded && this.quiet[row]) { hidden++; unrun += this.unrun[row]; }
      else shown.push(row);
    }
    this.sort(shown, view.s, fits);
    const found = view.g ? this.grouped(shown, every, view.g, fits) : shown.map((row) => ({ row, device: -1 }));
    return { rows: found, count: shown.length, hidden, unrun };
  }

  sort(rows, order, fits) {
    if (!order) return;
    const down = order.endsWith(".desc") ? -1 : 1, by = order.replace(/\.desc$/, "");
    const { grid, width } = this, device = grid.devices.indexOf(by);
    const key = new Float64Array(this.height);
    for (const row of rows) {
      let total = 0;
      for (let at = 0, cell = row * width; at < width; at++, cell++) {
        if (by === "seconds") total += onScale(grid.seconds[cell]) || 0;
        else if (by === "worst" && fits[cell]) total = Math.max(total, this.urgency(cell));
        else if (at === device) total = this.urgency(cell);
      }
      key[row] = by === "name" ? -row : total;
    }
    // the largest first unless it is turned round; the natural order settles ties
    rows.sort((a, b) => down * (key[b] - key[a]) || a - b);
  }

  /** What a reader wants first is largest. */
  urgency(cell) {
    const { grid } = this, outcome = grid.outcome[cell];
    if (!outcome) return 0;
    const judged = grid.judged[cell] ? grid.judgements.length - grid.judged[cell] + 1 : 0;
    return 1 + (this.isGood[outcome] ? 0 : 100) + judged + outcome / 100;
  }

  /** What is said of a group is of all its tests; those that fit decide whether it is there. `good` and
   * `of`: by device, how many are good of how many that ran; `left`: how many a budget left out. */
  grouped(rows, every, by, fits) {
    const { grid, width } = this, groups = new Map(), byDevice = by === "device";
    const find = (title) => {
      let group = groups.get(title);
      if (!group) groups.set(title, group = { title, count: 0, bad: 0, left: 0, good: new Int32Array(width), of: new Int32Array(width), entries: [] });
      return group;
    };
    for (const row of every) {
      if (!byDevice) { find(this.groupOf(row, by)); continue; }
      for (let at = 0; at < width; at++) if (fits[row * width + at]) find(grid.devices[at]);
    }
    for (let row = 0; row < this.height; row++) {
      const found = new Map(); // of this test: each group that it is in, and whether it is bad there
      for (let at = 0, cell = row * width; at < width; at++, cell++) {
        const group = grid.outcome[cell] ? groups.get(byDevice ? grid.devices[at] : this.groupOf(row, by)) : null;
        if (!group) continue;
        const ran = !grid.left_out[cell], good = this.isGood[grid.outcome[cell]];
        const before = found.get(group) ?? { bad: 0, left: 0 };
        found.set(group, { bad: before.bad | (ran && !good), left: before.left | !ran });
        group.of[at] += ran;
        group.good[at] += ran && good;
      }
      for (const [group, { bad, left }] of found) { group.count++; group.bad += bad; group.left += left; }
    }
    for (const row of rows) {
      if (!byDevice) { find(this.groupOf(row, by)).entries.push({ row, device: -1 }); continue; }
      for (let at = 0; at < width; at++) {
        if (fits[row * width + at]) find(grid.devices[at]).entries.push({ row, device: at });
      }
    }
    const order = new Intl.Collator("en", { numeric: true });
    const sorted = [...groups.values()].sort((a, b) => order.compare(a.title, b.title));
    return sorted.flatMap(({ entries, ...group }) => [group, ...entries]);
  }

  groupOf(row, by) {
    const { grid, width } = this;
    if (by === "family") return grid.familyNames[grid.families[row]];
    for (let cell = row * width; cell < (row + 1) * width; cell++) {
      if (by === "list" && grid.list[cell]) return grid.lists[grid.list[cell]];
      const cause = by === "owner" && grid.cause[cell] ? grid.causes[grid.cause[cell] - 1] : null;
      if (cause?.owner) return cause.owner;
    }
    return by === "list" ? "on no list" : "no owner";
  }
}
