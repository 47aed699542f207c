// The photograph with its faces outlined: each is a button that leaves the face out or takes it in.

import { OVAL } from './paste.js';
import { sizeOf } from './region.js';

// Longest side of what is shown.
const SHOWN = 1600;

/** Draw a bitmap on a canvas, reduced to what is shown. */
export function drawReduced(canvas, bitmap) {
  const { width, height } = bitmap;
  const shrink = Math.min(1, SHOWN / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * shrink));
  canvas.height = Math.max(1, Math.round(height * shrink));
  const context = canvas.getContext('2d', { alpha: false });
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

export class Outlines {
  #stage;
  #canvas;
  #list;
  #size;

  /** @param stage an element with a canvas and a list for the buttons. */
  constructor(stage) {
    this.#stage = stage;
    this.#canvas = stage.querySelector('canvas');
    this.#list = stage.querySelector('.faces');
  }

  show(bitmap) {
    drawReduced(this.#canvas, bitmap);
    this.#size = [bitmap.width, bitmap.height];
    this.#stage.style.setProperty('--shape', bitmap.width / bitmap.height);
    this.#list.replaceChildren();
  }

  /**
   * Outline the faces.
   *
   * @param faces {region, sharp, taken}; `taken` follows the buttons, `sharp` ones have none.
   * @param changed called after each change.
   */
  outline(faces, changed) {
    const buttons = faces.map((face, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'face';
      this.#place(button, face.region);
      const label = () => {
        button.setAttribute('aria-pressed', face.taken);
        const state = face.sharp ? 'already sharp enough' : face.taken ? 'restored' : 'left out';
        button.setAttribute('aria-label', `Face ${i + 1}, ${state}`);
      };
      label();
      button.disabled = face.sharp;
      button.addEventListener('click', () => {
        face.taken = !face.taken;
        label();
        changed();
      });
      return button;
    });
    this.#list.replaceChildren(...buttons);
  }

  #place(button, region) {
    const [width, height] = this.#size;
    const { x, y, across } = region;
    const [w, h] = sizeOf(region).map((side, axis) => side * OVAL[axis]);
    const style = button.style;
    style.left = `${(100 * (x + 0.5)) / width}%`;
    style.top = `${(100 * (y + 0.5)) / height}%`;
    style.width = `${(100 * w) / width}%`;
    style.height = `${(100 * h) / height}%`;
    style.rotate = `${Math.atan2(across[1], across[0])}rad`;
  }
}
