/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// What is shown is in the address, so that a view can be sent: #q=fft&o=FAILED&g=family&p=t-0123...

const SETS = { o: "outcome", j: "judgement", d: "device" };
const WORDS = ["q", "l", "w", "c", "g", "s", "f", "p", "i"];

/** The view as the address has it; #t-0123456789abcdef alone opens that test. */
function readView() {
  const hash = location.hash.slice(1);
  if (/^t-[0-9a-f]{16}$/.test(hash)) return viewOf(new URLSearchParams({ p: hash }));
  return viewOf(new URLSearchParams(hash.includes("=") ? hash : ""));
}

function viewOf(words) {
  const view = {};
  for (const name of WORDS) view[name] = words.get(name) ?? "";
  for (const name of Object.keys(SETS)) view[name] = new Set((words.get(name) ?? "").split("~").filter(Boolean));
  return view;
}

function written(view) {
  const words = new URLSearchParams();
  for (const name of Object.keys(SETS)) if (view[name].size) words.set(name, [...view[name]].join("~"));
  for (const name of WORDS) if (view[name]) words.set(name, view[name]);
  return words.toString();
}

/** Writes the address; a panel that opens is a step that Back undoes, a keystroke is not. */
function writeView(view, step) {
  const hash = written(view);
  if (location.hash.slice(1) === hash) return;
  const address = hash ? `#${hash}` : location.pathname + location.search;
  history[step ? "pushState" : "replaceState"](null, "", address);
}
