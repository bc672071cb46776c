/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// Small charts of nights. Every chart has a title, its newest value as text, and a table for who
// does not see it. A library would be larger than the page of a usual night.

const CHART = { width: 270, height: 62, left: 4, right: 4, top: 6, bottom: 6 };

/**
 * @param {{title: string, values: Float64Array|number[], nights: number[][], text: (v: number) => string,
 *   marks?: {night: number, word: string}[], line?: number, bad?: boolean[], log?: boolean}} what
 */
function chart(what) {
  const { title, values, nights, text } = what;
  const known = [...values].filter(isFinite);
  const last = [...values].findLast(isFinite);
  const head = h("figcaption", {}, h("span", {}, title), h("b", {}, known.length ? text(last) : "none"));
  if (!known.length) return h("figure", { class: "chart empty" }, head);
  const scale = (v) => (what.log ? Math.log10(Math.max(v, 1e-9)) : v);
  const all = known.map(scale);
  if (isFinite(what.line)) all.push(scale(what.line));
  let low = Math.min(...all), high = Math.max(...all);
  if (high - low < 1e-9 + 0.02 * Math.abs(high)) { low -= 0.5 * Math.abs(low) || 1; high += 0.5 * Math.abs(high) || 1; }
  const { width, height, left, right, top, bottom } = CHART;
  const x = (night) => left + ((width - left - right) * (night + 0.5)) / nights.length;
  const y = (v) => top + (height - top - bottom) * (1 - (scale(v) - low) / (high - low));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${spoken(values, nights, text)}` });
  for (const { night, word } of what.marks ?? []) {
    picture.append(svg("line", { class: "mark", x1: x(night - 0.5), x2: x(night - 0.5), y1: 2, y2: height - bottom }, svg("title", {}, word)));
  }
  if (isFinite(what.line)) {
    picture.append(svg("line", { class: "limit", x1: left, x2: width - right, y1: y(what.line), y2: y(what.line) }));
  }
  let path = "", pen = "M";
  values.forEach((v, night) => {
    if (!isFinite(v)) { pen = "M"; return; }
    path += `${pen}${x(night).toFixed(1)} ${y(v).toFixed(1)}`;
    pen = "L";
  });
  picture.append(svg("path", { class: "line", d: path }));
  values.forEach((v, night) => {
    if (!isFinite(v)) return;
    const dot = svg("circle", { cx: x(night).toFixed(1), cy: y(v).toFixed(1), r: what.bad?.[night] ? 2.6 : 1.8, class: what.bad?.[night] ? "bad" : "" });
    const title = svg("title");
    title.textContent = `${day(nights[night][1])}: ${text(v)}`;
    dot.append(title);
    picture.append(dot);
  });
  // dates are no part of the picture: they keep their size whatever its width
  const ends = h("div", { class: "ends", "aria-hidden": true }, h("span", {}, day(nights[0][1])), h("span", {}, day(nights.at(-1)[1])));
  return h("figure", { class: "chart" }, head, picture, ends);
}

/** What a chart says to who hears it. */
function spoken(values, nights, text) {
  const known = [...values].filter(isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const last = [...values].findLast(isFinite);
  return `${counted(known.length, "night")} to ${day(nights.at(-1)[1])}, now ${text(last)}, from ${text(low)} to ${text(high)}`;
}

/** Outcomes of nights as a row of signs. */
function outcomeStrip(codes, nights, outcomes, marks) {
  const cells = [...codes].map((code, night) => {
    const outcome = outcomes[(code & ~NO_EVIDENCE) - 1];
    const words = outcome ? `${day(nights[night][1])}: ${outcome[0]}${code & NO_EVIDENCE ? ", no evidence" : ""}` : `${day(nights[night][1])}: not there`;
    const kind = outcome ? ` o-${outcome[0].replace(" ", "-")}${code & NO_EVIDENCE ? " weak" : ""}` : "";
    const broken = marks.some((mark) => mark.night === night) ? " mark" : "";
    return h("li", { class: `night${kind}${broken}`, title: `${words}, ${nights[night][0]}` }, h("span", { class: "spoken" }, words), h("i", { "aria-hidden": true }, outcome ? outcome[1] : "·"));
  });
  return h("figure", { class: "outcomes" },
    h("figcaption", {}, h("span", {}, "outcome"), h("b", {}, `${day(nights[0][1])} to ${day(nights.at(-1)[1])}`)),
    h("ol", { class: "strip" }, ...cells));
}
