/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
(() => {
  "use strict";
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const find = (id) => document.getElementById(id);

  // --- details: unpacked when a result is first opened -----------------------------------
  const blocks = all("script.block");
  const unpacked = new Map();

  function unpack(number) {
    if (!unpacked.has(number)) {
      const letters = atob(blocks[number].textContent);
      const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      unpacked.set(number, new Response(stream).json());
    }
    return unpacked.get(number);
  }

  async function fill(result) {
    if (!result.dataset.place) return;
    const [block, index] = result.dataset.place.split(".").map(Number);
    delete result.dataset.place;
    const rest = document.createElement("div");
    result.querySelector(".body").append(rest);
    try {
      rest.innerHTML = (await unpack(block))[index]; // escaped by the report that wrote it
    } catch (error) {
      rest.textContent = `This browser cannot unpack the rest (${error}); it is in models.xlsx.`;
    }
  }

  async function openTarget() {
    const target = location.hash.length > 1 && find(location.hash.slice(1));
    if (!target) return;
    if (target.matches(".result")) {
      target.hidden = false;
      target.open = true;
      await fill(target);
      target.querySelector("summary").focus({ preventScroll: true });
    }
    target.scrollIntoView();
  }

  const results = all(".result");
  for (const result of results) {
    result.addEventListener("toggle", () => result.open && fill(result));
  }
  addEventListener("hashchange", openTarget);
  openTarget();

  // --- filters: nothing is indexed before the first use -----------------------------------
  const table = find("cells");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const form = find("filters");
  const chips = all("button[data-outcome]", form);
  let index = null;

  function indexed() {
    if (index) return index;
    const words = new Map(results.map((r) => [`#${r.id}`, r.textContent.toLowerCase()]));
    const rows = all("tr", body).map((row, order) => {
      const name = row.cells[0].textContent.toLowerCase();
      const cells = [...row.cells].slice(1, -1).map((cell) => {
        const link = cell.querySelector("a");
        return { cell, outcome: cell.dataset.o, text: name + (link && words.get(link.hash)) };
      });
      return { row, order, cells };
    });
    const total = rows.reduce((sum, { cells }) => sum + cells.filter((c) => c.outcome).length, 0);
    return (index = { words, rows, total });
  }

  function apply() {
    const { words, rows, total } = indexed();
    const wanted = find("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const column = find("device").value === "" ? -1 : Number(find("device").value);
    const device = find("device").selectedOptions[0].textContent;
    const pressed = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true");
    const outcomes = new Set(pressed.map((chip) => chip.dataset.outcome));
    const fits = (outcome, text) => outcomes.has(outcome) && wanted.every((w) => text.includes(w));
    const off = (at) => column !== -1 && column !== at;
    let shown = 0;
    for (const { row, cells } of rows) {
      let any = false;
      cells.forEach(({ cell, outcome, text }, at) => {
        const fit = !off(at) && fits(outcome, text);
        cell.hidden = off(at);
        cell.classList.toggle("dim", !fit);
        any ||= fit;
        shown += fit;
      });
      row.hidden = !any;
    }
    heads.slice(1, -1).forEach((head, at) => (head.hidden = off(at)));
    for (const result of results) {
      const here = column === -1 || result.dataset.device === device;
      result.hidden = !(here && fits(result.dataset.o, words.get(`#${result.id}`)));
    }
    for (const section of ["attention", "good"].map(find).filter(Boolean)) {
      const left = all(".result:not([hidden])", section).length;
      section.hidden = left === 0;
      section.querySelector(".count").textContent = left;
    }
    find("shown").textContent = shown === total ? `${total} results` : `${shown} of ${total} results`;
    find("nothing").hidden = shown > 0;
  }

  let waiting = 0;
  find("find").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  find("device").addEventListener("change", apply);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  find("everything").addEventListener("click", () => {
    form.reset();
    chips.forEach((chip) => chip.setAttribute("aria-pressed", "true"));
    apply();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;

  // --- sorting ---------------------------------------------------------------------------
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(column, head.getAttribute("aria-sort") === "ascending"));
  });

  function sort(column, down) {
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = ({ row, order }) => (column ? Number(row.cells[column].dataset.v ?? 99) : order);
    const sign = down ? -1 : 1;
    const { rows } = indexed();
    rows.sort((a, b) => sign * (value(a) - value(b)) || a.order - b.order);
    body.append(...rows.map(({ row }) => row));
  }
})();
