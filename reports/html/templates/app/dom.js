/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// Elements and numbers. Whatever comes from a record becomes text here, never markup.

const find = (id) => document.getElementById(id);

/**
 * An element with attributes and children; strings become text.
 * @param {string} tag @param {Object<string, any>} attributes @param {...any} children
 */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

/** The same for SVG. */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children.filter((child) => child));
  return element;
}

const bdi = (text) => h("bdi", {}, text);

/** A command with a button that copies it. */
function command(text) {
  return h("p", { class: "again" }, h("code", { tabindex: 0 }, text), copyButton(text));
}

function copyButton(text) {
  const button = h("button", { type: "button", class: "copy", "aria-label": "copy the command" }, "copy");
  button.addEventListener("click", () => copy(button, text));
  return button;
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // no clipboard for pages of files in some browsers: the old way needs a selection
    const field = h("textarea", { class: "unseen" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  button.textContent = "copied";
  setTimeout(() => (button.textContent = "copy"), 1200);
}

/** A link to a file beside the page, or to the web; anything else stays text. */
function link(address, ...children) {
  const safe = /^(https?:\/\/|ir\/|ops\/|#)/.test(address);
  if (!safe) return h("span", { class: "gone" }, ...children);
  const outside = address.startsWith("http");
  return h("a", { href: address, rel: outside && "noopener noreferrer", target: outside && "_blank" }, ...children);
}

/** Text whose web addresses are links. */
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"'`]+)/).map((part, i) => (i % 2 ? link(part, part) : part));
}

// --- numbers --------------------------------------------------------------------------------

function seconds(value) {
  if (value === null || value === undefined || !isFinite(value)) return "";
  if (Math.abs(value) < 0.1) return `${Number((1000 * value).toPrecision(3))} ms`;
  if (value < 10) return `${Number(value.toPrecision(3))} s`;
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.round(value), minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function mebibytes(value) {
  if (value === null || value === undefined || !isFinite(value)) return "";
  return value < 1024 ? `${Number(value.toPrecision(3))} MiB` : `${(value / 1024).toFixed(1)} GiB`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A night by its date; of two in one day the time tells them apart. */
function day(epoch) {
  const date = new Date(1000 * epoch);
  return isNaN(date) ? "" : `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function clock(epoch) {
  const date = new Date(1000 * epoch);
  return isNaN(date) ? "" : date.toISOString().slice(11, 16);
}

/** "3 tests", "1 test". */
const counted = (count, noun, nouns = noun + "s") => `${count} ${count === 1 ? noun : nouns}`;
