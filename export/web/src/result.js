// The result: before and after with a divider between them, whole or face by face, and saving.

import { Compare } from './compare.js';
import { $, show } from './dom.js';
import { canvasOf } from './images.js';
import { grown, spanOf } from './region.js';

// Longest side of a view; smaller ones show the pixels as they are.
const SHOWN = 2048;

// A view of a face is this much wider than its region.
const AROUND = 1.5;

const QUALITY = 0.95;

export class Result {
  #compare = new Compare($('compare-stage'));
  #shown = null;

  constructor() {
    $('save').addEventListener('click', () => this.#save());
  }

  /** The step that the result came from. */
  get back() {
    return this.#shown.back;
  }

  /**
   * @param result {after, before, regions, name, type, back, facts}: a canvas or bitmap; what it is
   *   compared with, {left, top, bitmap} patches in the order in which they were replaced; the
   *   regions of faces, each a view; the file's name and type; the step to go back to; a line.
   */
  show(result) {
    this.clear();
    this.#shown = result;
    const { after, regions } = result;
    const boxes = regions.map((region) =>
      spanOf(grown(upright(region), AROUND), after.width, after.height),
    );
    const views = [whole(after), ...boxes].map((box, i) =>
      this.#button(box, i ? `Face ${i}` : 'Whole'),
    );
    $('views').replaceChildren(...views);
    $('views').hidden = !regions.length;
    $('facts').textContent = result.facts;
    views[0].click();
    show('result');
    $('divider').focus({ preventScroll: true });
  }

  /** Give the memory back. */
  clear() {
    const { after, before } = this.#shown ?? { before: [] };
    for (const bitmap of [after, ...before.map((patch) => patch.bitmap)]) bitmap?.close?.();
    this.#shown = null;
  }

  #save() {
    const { after, name, type } = this.#shown;
    const { width, height } = after;
    const save = (blob) => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = `${name}-${width}x${height}.${type === 'image/png' ? 'png' : 'jpg'}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    };
    this.#draw(whole(after), false, Infinity).toBlob(save, type, QUALITY);
  }

  #button(box, label) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.addEventListener('click', () => {
      for (const other of $('views').children) {
        other.setAttribute('aria-pressed', other === button);
      }
      const shape = (box.right - box.left) / (box.bottom - box.top);
      $('compare-stage').style.setProperty('--shape', shape);
      this.#compare.show(this.#draw(box, true), this.#draw(box, false));
    });
    return button;
  }

  #draw({ left, top, right, bottom }, before, longest = SHOWN) {
    const [width, height] = [right - left, bottom - top];
    const shrink = Math.min(1, longest / Math.max(width, height));
    const canvas = canvasOf(Math.round(width * shrink), Math.round(height * shrink));
    const context = canvas.getContext('2d', { alpha: false });
    context.imageSmoothingQuality = 'high';
    context.scale(canvas.width / width, canvas.height / height);
    context.translate(-left, -top);
    context.drawImage(this.#shown.after, 0, 0);
    // Where faces overlap, the first patch is what was there before all of them.
    const patches = before ? this.#shown.before.toReversed() : [];
    for (const patch of patches) context.drawImage(patch.bitmap, patch.left, patch.top);
    return canvas;
  }
}

function whole({ width, height }) {
  return { left: 0, top: 0, right: width, bottom: height };
}

/** An upright square as large as the region. */
function upright({ x, y, across }) {
  const half = Math.hypot(...across);
  return { x, y, down: [0, half], across: [half, 0] };
}
