/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// Two kept texts side by side, the lines that differ marked.

const MOST_STEPS = 4_000_000, MOST_ROWS = 1200;
const AROUND = 3;

/** A line without the numbers of values and locations: one op more renumbers all behind it. */
const numberless = (line) => line.replace(/([%#][a-z]*)\d+\b/gi, "$1");

/** Pairs [line of a, line of b] of what is common, in order; -1 where there is none. */
function aligned(before, after) {
  const pairs = [];
  align(before.map(numberless), after.map(numberless), 0, before.length, 0, after.length, pairs);
  return pairs;
}

/** Lines fromA to lastA of a beside fromB to lastB of b, put to the pairs. */
function align(a, b, fromA, lastA, fromB, lastB, pairs) {
  while (fromA < lastA && fromB < lastB && a[fromA] === b[fromB]) pairs.push([fromA++, fromB++]);
  let endA = lastA, endB = lastB;
  while (endA > fromA && endB > fromB && a[endA - 1] === b[endB - 1]) { endA--; endB--; }
  if ((endA - fromA) * (endB - fromB) <= MOST_STEPS) longest(a, b, fromA, endA, fromB, endB, pairs);
  else byAnchors(a, b, fromA, endA, fromB, endB, pairs);
  for (; endA < lastA; endA++, endB++) pairs.push([endA, endB]);
}

/** By the longest common subsequence. */
function longest(a, b, fromA, lastA, fromB, lastB, pairs) {
  const n = lastA - fromA, m = lastB - fromB, width = m + 1, best = new Uint32Array((n + 1) * width);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      best[i * width + j] = a[fromA + i] === b[fromB + j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  let i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && a[fromA + i] === b[fromB + j]) pairs.push([fromA + i++, fromB + j++]);
    else if (j >= m || (i < n && best[(i + 1) * width + j] >= best[i * width + j + 1])) pairs.push([fromA + i++, -1]);
    else pairs.push([-1, fromB + j++]);
  }
}

/** Where the table of all pairs would be too large: between lines that each text has once. */
function byAnchors(a, b, fromA, lastA, fromB, lastB, pairs) {
  const chain = anchors(a, b, fromA, lastA, fromB, lastB);
  if (!chain.length) { // nothing to hold on to: one under the other
    for (let i = fromA; i < lastA; i++) pairs.push([i, -1]);
    for (let j = fromB; j < lastB; j++) pairs.push([-1, j]);
    return;
  }
  for (const [i, j] of [...chain, [lastA, lastB]]) {
    align(a, b, fromA, i, fromB, j, pairs);
    if (i < lastA) pairs.push([i, j]);
    [fromA, fromB] = [i + 1, j + 1];
  }
}

/** The longest chain of lines that occur once in each (patience sorting). */
function anchors(a, b, fromA, lastA, fromB, lastB) {
  const once = (lines, from, last) => {
    const places = new Map();
    for (let i = from; i < last; i++) places.set(lines[i], places.has(lines[i]) ? -1 : i);
    return places;
  };
  const inA = once(a, fromA, lastA), inB = once(b, fromB, lastB), tops = [];
  for (const [line, i] of inA) {
    const j = i < 0 ? -1 : inB.get(line) ?? -1;
    if (j < 0) continue;
    let low = 0, high = tops.length;
    while (low < high) { const middle = (low + high) >> 1; if (tops[middle].j < j) low = middle + 1; else high = middle; }
    tops[low] = { i, j, before: tops[low - 1] };
  }
  const chain = [];
  for (let one = tops.at(-1); one; one = one.before) chain.push([one.i, one.j]);
  return chain.reverse();
}

/** Triples [line of a, line of b, differs]: what went out beside what came in its place. */
function abreast(pairs) {
  const rows = [], out = [], come = [];
  const flush = () => {
    for (let at = 0; at < Math.max(out.length, come.length); at++) rows.push([out[at] ?? -1, come[at] ?? -1, true]);
    out.length = come.length = 0;
  };
  for (const [i, j] of pairs) {
    if (j < 0) out.push(i);
    else if (i < 0) come.push(j);
    else { flush(); rows.push([i, j, false]); }
  }
  flush();
  return rows;
}

/** @returns {HTMLElement} a level of the last good night beside tonight's */
async function comparedTexts([, level, run, before, after]) {
  const texts = await Promise.all([textOf(before), textOf(after)]);
  return part(`${level}, the last good night beside tonight`, beside(texts[0] ?? "", texts[1] ?? "", [run, "tonight"]));
}

/** @returns {HTMLElement} a table; of what is equal only the lines around what differs */
function beside(before, after, names) {
  const a = before.split("\n"), b = after.split("\n"), pairs = abreast(aligned(a, b));
  const near = new Uint8Array(pairs.length);
  pairs.forEach(([, , differs], at) => {
    if (!differs) return;
    near.fill(1, Math.max(0, at - AROUND), Math.min(pairs.length, at + AROUND + 1));
  });
  const rows = [];
  let skipped = 0, left = 0;
  const gap = () => { if (skipped) rows.push(h("tr", { class: "gap" }, h("td", { colspan: 4 }, `${counted(skipped, "line")} alike`))); skipped = 0; };
  pairs.forEach(([i, j, differs], at) => {
    if (rows.length > MOST_ROWS) { left++; return; }
    if (!near[at]) { skipped++; return; }
    gap();
    rows.push(h("tr", { class: differs ? "differs" : "" }, h("td", { class: "number" }, i < 0 ? "" : String(i + 1)), h("td", { class: differs && i >= 0 && "out" }, h("code", {}, i < 0 ? "" : a[i])),
      h("td", { class: "number" }, j < 0 ? "" : String(j + 1)), h("td", { class: differs && j >= 0 && "in" }, h("code", {}, j < 0 ? "" : b[j]))));
  });
  gap();
  if (left) rows.push(h("tr", { class: "gap" }, h("td", { colspan: 4 }, `and ${counted(left, "line")} more, on the pages of the two texts`)));
  return h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "two texts" }, h("table", { class: "beside" },
    h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col" }, bdi(names[0])), h("td"), h("th", { scope: "col" }, bdi(names[1])))), h("tbody", {}, ...rows)));
}
