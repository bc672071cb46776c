/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
// Blocks of the page, unpacked when they are asked for. reports/html/pack.py has the format.

const STEP = 0.005, LEAST = 1e-9;

/** A value of the logarithmic scale; NaN of what is absent. */
const onScale = (code) => (code ? LEAST * Math.exp((code - 1) * STEP) : NaN);

async function bytesOf(element) {
  const text = element.textContent;
  const packed = Uint8Array.fromBase64
    ? Uint8Array.fromBase64(text)
    : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @returns {Promise<Object>} the block's meta and, by name, its typed arrays */
async function unpackColumns(id) {
  const bytes = await bytesOf(find(id));
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const { meta, columns } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  for (const [name, [width, size]] of Object.entries(columns)) {
    meta[name] = column(bytes.subarray(at, at + width * size), width, size);
    at += width * size;
  }
  return meta;
}

function column(bytes, width, size) {
  if (width === 1) return bytes;
  const found = new (width === 2 ? Uint16Array : Uint32Array)(size);
  for (let plane = 0; plane < width; plane++) {
    for (let i = 0, from = plane * size; i < size; i++) found[i] |= bytes[from + i] << (8 * plane);
  }
  return found;
}

const kept = new Map();

/** Each block is unpacked once. */
function columnsOf(id) {
  if (!kept.has(id)) kept.set(id, unpackColumns(id));
  return kept.get(id);
}

const PER_BLOCK = 256;

/** What a result's panel shows; results are counted over all cells. */
async function detailOf(result) {
  const number = Math.floor(result / PER_BLOCK), id = `detail-${number}`;
  if (!kept.has(id)) kept.set(id, bytesOf(find(id)).then((b) => JSON.parse(new TextDecoder().decode(b))));
  return (await kept.get(id))[result % PER_BLOCK];
}

/** A kept text that is in this file; null of one that is not. */
async function textOf(digest) {
  const element = find(`text-${digest}`);
  return element ? new TextDecoder().decode(await bytesOf(element)) : null;
}
