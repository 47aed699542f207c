// The visible part of an image: a scale, and the image's point at the canvas's centre.

export const LARGEST = 64;
const MAX_FIT = 12; // The largest scale at which small images are fitted.
const CLOSE = 0.62; // Part of the canvas that a box fills after `closeUp`.

export class View {
  /** @param image {width, height} in its own pixels. */
  constructor(image) {
    this.image = image;
    this.canvas = { width: 1, height: 1 };
    this.fit();
  }

  /** The scale at which the whole image is visible. */
  get fitting() {
    const { image, canvas } = this;
    return Math.min(canvas.width / image.width, canvas.height / image.height, MAX_FIT);
  }

  get smallest() {
    return Math.min(1, this.fitting);
  }

  /** The whole output's size, rounded as on the command line. */
  get size() {
    return this.#sizeAt(this.scale);
  }

  /** {scale, width, height} of the file to save: a large photograph is shown reduced, not saved so. */
  get saved() {
    const scale = Math.max(1, this.scale);
    return { scale, ...this.#sizeAt(scale) };
  }

  /** The position of the output's first pixel on the canvas. */
  get origin() {
    const { image, canvas, size } = this;
    return {
      x: Math.round(canvas.width / 2 - (this.x * size.width) / image.width),
      y: Math.round(canvas.height / 2 - (this.y * size.height) / image.height),
    };
  }

  /** The visible rectangle of the output. */
  get visible() {
    const { x, y } = this.origin;
    return { left: -x, top: -y, right: this.canvas.width - x, bottom: this.canvas.height - y };
  }

  fit() {
    this.fitted = true;
    this.scale = this.fitting;
    this.x = this.image.width / 2;
    this.y = this.image.height / 2;
  }

  resize(width, height) {
    this.canvas = { width, height };
    if (this.fitted) this.fit();
    else this.zoom(this.scale);
  }

  /** Zoom to a scale around a point of the canvas, by default its centre. */
  zoom(scale, place = { x: this.canvas.width / 2, y: this.canvas.height / 2 }) {
    const before = this.scale;
    this.fitted = false;
    this.scale = Math.min(Math.max(scale, this.smallest), LARGEST);
    const step = 1 / before - 1 / this.scale;
    this.#centre(
      this.x + (place.x - this.canvas.width / 2) * step,
      this.y + (place.y - this.canvas.height / 2) * step,
    );
  }

  /** Show a box of the image closely: {x, y, width, height} in its own pixels. */
  closeUp({ x, y, width, height }) {
    const { canvas } = this;
    this.fitted = false;
    const scale = CLOSE * Math.min(canvas.width / width, canvas.height / height);
    this.scale = Math.min(Math.max(scale, this.smallest), LARGEST);
    this.#centre(x + width / 2, y + height / 2);
  }

  /** Move as far as necessary to have the middle of a box on the canvas. */
  reveal({ x, y, width, height }) {
    const { scale, canvas } = this;
    const away = (place, middle, half) =>
      Math.abs(place - middle) > half / scale ? place : middle;
    this.#centre(
      away(x + width / 2, this.x, canvas.width / 2),
      away(y + height / 2, this.y, canvas.height / 2),
    );
  }

  /** Move the image by pixels of the canvas. */
  move(x, y) {
    this.fitted = false;
    this.#centre(this.x - x / this.scale, this.y - y / this.scale);
  }

  #sizeAt(scale) {
    const side = (length) => Math.max(1, Math.floor(length * scale + 0.5));
    return { width: side(this.image.width), height: side(this.image.height) };
  }

  #centre(x, y) {
    // The canvas's centre never leaves the image.
    this.x = Math.min(Math.max(x, 0), this.image.width);
    this.y = Math.min(Math.max(y, 0), this.image.height);
  }
}
