/* SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
 *
 * SPDX-License-Identifier: Apache-2.0 */
(async () => {
  "use strict";
  const find = (id) => document.getElementById(id);
  try {
    const packed = atob(find("data").textContent);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const blob = await new Response(stream).blob();
    const text = await blob.text();
    find("text").textContent = text;
    const count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    find("lines").textContent = Array.from({ length: count }, (_, i) => i + 1).join("\n");
    const save = find("save");
    save.href = URL.createObjectURL(blob);
    save.download = location.pathname.split("/").pop().replace(/\.html$/, ".txt");
    save.hidden = false;
  } catch (error) {
    find("state").textContent = `This browser cannot unpack the text (${error}).`;
  }
})();
