// The square that is dragged and resized over an image, by touch, mouse or keyboard.

import { drawReduced } from './outlines.js';
import { first, move, stretch, zoom } from './square.js';

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Crop {
  #stage;
  #canvas;
  #box;
  #bitmap;
  #drag = null;

  /** @param stage an element with a canvas and the square: a box with [data-corner] handles. */
  constructor(stage) {
    this.#stage = stage;
    this.#canvas = stage.querySelector('canvas');
    this.#box = stage.querySelector('.box');
    this.#box.addEventListener('pointerdown', (event) => this.#start(event));
    this.#box.addEventListener('pointermove', (event) => this.#follow(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      this.#box.addEventListener(end, () => (this.#drag = null));
    }
    this.#box.addEventListener('keydown', (event) => this.#key(event));
  }

  show(bitmap) {
    this.#bitmap = bitmap;
    const { width, height } = bitmap;
    drawReduced(this.#canvas, bitmap);
    this.#stage.style.setProperty('--shape', width / height);
    this.#set(first(width, height));
  }

  #set(square) {
    this.square = square;
    const { width, height } = this.#bitmap;
    const style = this.#box.style;
    style.left = `${(100 * square.x) / width}%`;
    style.top = `${(100 * square.y) / height}%`;
    style.width = `${(100 * square.side) / width}%`;
    style.height = `${(100 * square.side) / height}%`;
    this.#box.setAttribute(
      'aria-label',
      `Crop: ${square.side} pixels, ${square.x} from the left, ${square.y} from the top`,
    );
  }

  #start(event) {
    if (this.#drag || event.button > 0) return;
    this.#box.setPointerCapture(event.pointerId);
    this.#drag = {
      id: event.pointerId,
      x: event.clientX,
      y: event.clientY,
      square: this.square,
      corner: event.target.dataset.corner,
    };
  }

  #follow(event) {
    if (event.pointerId !== this.#drag?.id) return;
    const { x, y, square, corner } = this.#drag;
    const { width, height } = this.#bitmap;
    const scale = width / this.#stage.clientWidth;
    const dx = (event.clientX - x) * scale;
    const dy = (event.clientY - y) * scale;
    if (corner) {
      const which = { left: corner.includes('left'), top: corner.includes('top') };
      this.#set(stretch(square, which, dx, dy, width, height));
    } else {
      this.#set(move(square, dx, dy, width, height));
    }
  }

  #key(event) {
    const { width, height } = this.#bitmap;
    const step = Math.max(1, Math.round(Math.min(width, height) / (event.shiftKey ? 10 : 100)));
    if (event.key in ARROWS) {
      const [right, down] = ARROWS[event.key];
      this.#set(move(this.square, right * step, down * step, width, height));
    } else if (event.key === '+' || event.key === '=') {
      this.#set(zoom(this.square, 2 * step, width, height));
    } else if (event.key === '-' || event.key === '_') {
      this.#set(zoom(this.square, -2 * step, width, height));
    } else {
      return;
    }
    event.preventDefault();
  }
}
