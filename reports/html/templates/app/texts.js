/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// Two kept texts side by side, the lines that differ marked.

const MOST_STEPS = 4_000_000;
const AROUND = 3;

/** Pairs [line of a, line of b] by the longest common subsequence; -1 where there is none. */
function aligned(a, b) {
  let from = 0, lastA = a.length, lastB = b.length;
  while (from < lastA && from < lastB && a[from] === b[from]) from++;
  while (lastA > from && lastB > from && a[lastA - 1] === b[lastB - 1]) { lastA--; lastB--; }
  const pairs = [];
  for (let i = 0; i < from; i++) pairs.push([i, i]);
  pairs.push(...middle(a, b, from, lastA, lastB));
  for (let i = lastA; i < a.length; i++) pairs.push([i, lastB + i - lastA]);
  return pairs;
}

function middle(a, b, from, lastA, lastB) {
  const n = lastA - from, m = lastB - from, pairs = [];
  if (n * m > MOST_STEPS) { // too long to align: one under the other
    for (let i = 0; i < n; i++) pairs.push([from + i, -1]);
    for (let j = 0; j < m; j++) pairs.push([-1, from + j]);
    return pairs;
  }
  const width = m + 1, best = new Uint32Array((n + 1) * width);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      best[i * width + j] = a[from + i] === b[from + j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  let i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && a[from + i] === b[from + j]) pairs.push([from + i++, from + j++]);
    else if (j >= m || (i < n && best[(i + 1) * width + j] >= best[i * width + j + 1])) pairs.push([from + i++, -1]);
    else pairs.push([-1, from + j++]);
  }
  return pairs;
}

/** @returns {HTMLElement} a table; of what is equal only the lines around what differs */
function beside(before, after, names) {
  const a = before.split("\n"), b = after.split("\n"), pairs = aligned(a, b);
  const near = new Uint8Array(pairs.length);
  pairs.forEach(([i, j], at) => {
    if (i >= 0 && j >= 0) return;
    near.fill(1, Math.max(0, at - AROUND), Math.min(pairs.length, at + AROUND + 1));
  });
  const rows = [];
  let skipped = 0;
  const gap = () => { if (skipped) rows.push(h("tr", { class: "gap" }, h("td", { colspan: 4 }, `${counted(skipped, "line")} alike`))); skipped = 0; };
  pairs.forEach(([i, j], at) => {
    if (!near[at]) { skipped++; return; }
    if (rows.length > 1200) { skipped++; return; }
    gap();
    rows.push(h("tr", { class: i < 0 || j < 0 ? "differs" : "" }, h("td", { class: "number" }, i < 0 ? "" : String(i + 1)), h("td", { class: i >= 0 && j < 0 && "out" }, h("code", {}, i < 0 ? "" : a[i])),
      h("td", { class: "number" }, j < 0 ? "" : String(j + 1)), h("td", { class: j >= 0 && i < 0 && "in" }, h("code", {}, j < 0 ? "" : b[j]))));
  });
  gap();
  return h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "two texts" }, h("table", { class: "beside" },
    h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col" }, bdi(names[0])), h("td"), h("th", { scope: "col" }, bdi(names[1])))), h("tbody", {}, ...rows)));
}
