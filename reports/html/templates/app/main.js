/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// The page: the view is in the address, and all that is shown follows from it.

const FOLD_FROM = 40;
/** Rows from which on those that are good are folded. */

class Page {
  constructor(grid) {
    this.grid = grid;
    this.table = new Table(grid);
    this.view = readView();
    this.panel = find("panel");
    this.opened = " ";
    this.sheet = new Grid(this.table, (cell) => this.go({ p: this.table.anchor(cell), i: "" }), (by) => this.sort(by));
    this.makeFilters();
    this.table.quietRows = this.table.quiet.reduce((sum, one) => sum + one, 0);
    for (const button of document.querySelectorAll("button.copy[data-copy]")) button.addEventListener("click", () => copy(button, button.dataset.copy));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("click", (event) => this.follow(event));
    addEventListener("popstate", () => { this.view = readView(); this.apply(); });
    find("panel-close").addEventListener("click", () => this.close());
    find("panel-before").addEventListener("click", () => this.step(-1));
    find("panel-after").addEventListener("click", () => this.step(1));
  }

  // --- filters -----------------------------------------------------------------------------

  makeFilters() {
    const { grid, table } = this;
    const count = (codes, size) => { const found = new Array(size + 1).fill(0); for (let i = 0; i < codes.length; i++) if (grid.outcome[i]) found[codes[i]]++; return found; };
    const outcomes = count(grid.outcome, grid.outcomes.length), judged = count(grid.judged, grid.judgements.length);
    const chips = (name, words, counts, glyphs) => words.flatMap((word, i) => counts[i + 1] ? [this.chip(name, word, `${glyphs?.[i] ?? ""} ${word}`.trim(), counts[i + 1])] : []);
    find("chips-outcome").append(...chips("o", grid.outcomes.map((o) => o[0]), outcomes, grid.outcomes.map((o) => o[1])));
    find("chips-judgement").append(...chips("j", grid.judgements, judged));
    find("chips-judgement").hidden = judged.every((n, i) => i === 0 || !n || grid.judgements[i - 1] === "good");
    if (grid.devices.length > 1) find("chips-device").append(...grid.devices.map((device) => this.chip("d", device, device, "")));
    this.fill("list", "l", grid.lists.slice(1), "any list");
    this.fill("owner", "w", [...new Set(grid.causes.map((cause) => cause.owner).filter(Boolean))].sort(), "any owner");
    const search = find("search");
    search.value = this.view.q;
    search.addEventListener("input", () => { this.view.q = search.value; this.apply(); });
    find("group").addEventListener("change", (event) => this.go({ g: event.target.value }));
    find("everything").addEventListener("click", () => { search.value = ""; this.go({ q: "", o: new Set(), j: new Set(), d: new Set(), l: "", w: "", c: "" }); });
    find("fold").addEventListener("click", () => this.go({ f: this.folded() ? "all" : "bad" }));
  }

  chip(name, word, shown, count) {
    return h("button", { type: "button", class: `chip${name === "o" ? ` o-${word.replace(" ", "-")}` : ""}`, "aria-pressed": "false", "data-set": name, "data-word": word,
      onclick: () => { const set = new Set(this.view[name]); if (!set.delete(word)) set.add(word); this.go({ [name]: set }); } },
      bdi(shown), count === "" ? null : h("small", {}, ` ${count}`));
  }

  fill(id, name, words, any) {
    const select = find(id);
    select.hidden = words.length < 1;
    select.append(h("option", { value: "" }, any), ...words.map((word) => h("option", { value: word }, word)));
    select.addEventListener("change", () => this.go({ [name]: select.value }));
  }

  filtered() {
    const { q, o, j, d, l, w, c } = this.view;
    return Boolean(q || o.size || j.size || d.size || l || w || c);
  }

  /** Are rows that are good left out? Only while nothing is asked for. */
  folded() {
    if (this.filtered() || this.view.f === "all") return false;
    const { quietRows, height } = this.table;
    return quietRows < height && (this.view.f === "bad" || (height > FOLD_FROM && quietRows > 0));
  }

  sort(by) {
    const order = by === "name" ? { "": "name.desc", "name.desc": "" } : { [by]: `${by}.desc`, [`${by}.desc`]: "" };
    this.go({ s: order[this.view.s] ?? by });
  }

  // --- the view ----------------------------------------------------------------------------

  go(change) {
    Object.assign(this.view, change);
    this.apply(true);
  }

  /** Filters as a cause's or a device's link asks for. */
  only(change) {
    const none = { q: "", o: new Set(), j: new Set(), d: new Set(), l: "", w: "", c: "", p: "", i: "" };
    find("search").value = "";
    this.go({ ...none, ...change });
    find("grid").scrollIntoView();
  }

  apply(step) {
    const { view, table } = this;
    writeView(view, step);
    const fits = table.fitting(view), folded = this.folded();
    const found = table.rows(view, fits, folded);
    this.sheet.show(found, fits, view.s);
    this.sheet.choose(view.p.startsWith("t-") ? table.cellOf(view.p) : -1);
    this.tell(found, fits, folded);
    for (const chip of document.querySelectorAll("button[data-set]")) chip.setAttribute("aria-pressed", String(view[chip.dataset.set].has(chip.dataset.word)));
    if (find("search").value !== view.q) find("search").value = view.q;
    find("group").value = view.g;
    find("list").value = view.l;
    find("owner").value = view.w;
    if (`${view.p} ${view.i}` !== this.opened) this.show(view.p, view.i);
  }

  tell(found, fits, folded) {
    let cells = 0, all = 0;
    for (let i = 0; i < fits.length; i++) { cells += fits[i]; all += this.grid.outcome[i] ? 1 : 0; }
    const cause = this.grid.causes.find((one) => one.id === this.view.c);
    find("shown").textContent = `${cells === all ? "" : `${cells} of `}${counted(all, "result")}${cause ? ` of the cause “${cause.name}”` : ""}`;
    find("everything").hidden = !this.filtered();
    const fold = find("fold");
    fold.hidden = this.filtered() || !this.table.quietRows || this.table.quietRows === this.table.height;
    const good = found.hidden - found.unrun;
    const hidden = [good ? counted(good, "good row") : "", found.unrun ? `${found.unrun} left out by the budget` : ""];
    fold.textContent = folded ? `show ${hidden.filter(Boolean).join(" and ")}` : "fold good rows";
    find("nothing").hidden = cells > 0;
  }

  // --- the panel ---------------------------------------------------------------------------

  async show(what, level) {
    const asked = this.opened = `${what} ${level}`;
    const { panel } = this, cell = what.startsWith("t-") ? this.table.cellOf(what) : -1;
    document.body.classList.toggle("beside", Boolean(what));
    panel.hidden = !what;
    if (!what) return;
    let made;
    try {
      if (cell >= 0) made = await testPanel(this, cell);
      else if (what.startsWith("op:") && find("ops-data")) made = await opPanel(this, what.slice(3));
      else if (what.startsWith("dev:")) made = await devicePanel(this, what.slice(4));
      else made = { title: "Not in this run", where: "", body: [h("p", {}, "The address names something that this run does not have.")] };
    } catch (error) {
      made = { title: "This cannot be shown", where: "", body: [h("p", {}, `This browser cannot unpack it (${error}); models.xlsx has it.`)] };
    }
    const texts = made.texts?.find(([, of, , before]) => of === level && before);
    const compared = texts && (await comparedTexts(texts));
    if (this.opened !== asked) return; // another was asked for meanwhile
    panel.classList.toggle("widest", Boolean(compared));
    find("panel-title").replaceChildren(bdi(made.title));
    find("panel-where").replaceChildren(bdi(made.where));
    for (const id of ["panel-before", "panel-after"]) find(id).hidden = cell < 0;
    find("panel-body").replaceChildren(...[compared, ...made.body].filter((one) => one));
    panel.scrollTop = 0;
    if (cell >= 0) {
      if (!this.sheet.inSight()) find("grid").scrollIntoView();
      this.sheet.choose(cell); this.sheet.into(Math.max(0, this.sheet.rows.findIndex((one) => one.row === Math.floor(cell / this.table.width))));
    }
    find("panel-title").focus({ preventScroll: true });
  }

  close() {
    const cell = this.view.p.startsWith("t-") ? this.table.cellOf(this.view.p) : -1;
    this.go({ p: "", i: "" });
    if (cell >= 0) this.sheet.focusCell(cell);
    else find("search").focus({ preventScroll: true });
  }

  step(way) {
    const cell = this.sheet.next(this.table.cellOf(this.view.p), way);
    if (cell >= 0) this.go({ p: this.table.anchor(cell), i: "" });
  }

  key(event) {
    const typing = event.target.matches?.("input, select, textarea");
    if (event.key === "Escape" && this.view.p) { this.close(); event.preventDefault(); }
    else if (event.key === "/" && !typing) { find("search").focus(); event.preventDefault(); }
    else if (!typing && this.panel.contains(event.target) && this.view.p.startsWith("t-") && !event.target.closest(".wide")) {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (way) { this.step(way); event.preventDefault(); }
    }
  }

  /** Links into the page: those that filter, and those that open something. */
  follow(event) {
    const anchor = event.target.closest?.("a[href^='#']");
    if (!anchor || event.ctrlKey || event.metaKey) return;
    const hash = anchor.getAttribute("href").slice(1);
    if (/^t-[0-9a-f]{16}$/.test(hash)) this.go({ p: hash, i: "" });
    else if (hash.startsWith("p=")) this.go({ p: decodeURIComponent(hash.slice(2)), i: "" });
    else if (hash.includes("=")) { const view = viewOf(new URLSearchParams(hash)); this.only(view); }
    else if (find(hash)) find(hash).scrollIntoView();
    else return;
    event.preventDefault();
  }
}

(async () => {
  const state = find("state");
  try {
    const page = new Page(await columnsOf("grid-data"));
    find("grid").hidden = false;
    page.sheet.measure();
    page.apply();
    state.remove();
    drawFunnels(page);
    drawEstimates(page);
    window.bringup = page; // for who looks at the page from a console
  } catch (error) {
    state.textContent = `This browser cannot unpack the table (${error}); models.xlsx has all of it.`;
    throw error;
  }
})();

function drawFunnels(page) {
  const place = find("funnels");
  if (!place) return;
  place.append(...page.grid.devices.map((device, at) => h("div", {}, h("h3", {}, h("a", { href: `#p=dev:${encodeURIComponent(device)}` }, bdi(device))), funnel(page, at))));
}
