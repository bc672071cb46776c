/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
(() => {
  "use strict";
  const find = (id) => document.getElementById(id);
  const rows = [...find("ops").tBodies[0].rows];
  let texts = null;

  function apply() {
    texts ??= rows.map((row) => row.textContent.toLowerCase());
    const wanted = find("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const bad = find("bad").checked;
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = (!bad || row.dataset.bad) && wanted.every((word) => texts[at].includes(word));
      row.hidden = !fits;
      shown += Boolean(fits);
    });
    find("shown").textContent = shown === rows.length ? `${shown} ops` : `${shown} of ${rows.length} ops`;
    find("nothing").hidden = shown > 0;
  }

  let waiting = 0;
  find("find").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  find("bad").addEventListener("change", apply);
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  find("filters").hidden = false;
})();
