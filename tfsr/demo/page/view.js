// The visible part of an image: a scale, and the image's point at the canvas's centre.

export const LARGEST = 64;
const MAX_FIT = 12; // The largest scale at which small images are fitted.

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
    const side = (length) => Math.max(1, Math.floor(length * this.scale + 0.5));
    return { width: side(this.image.width), height: side(this.image.height) };
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

  /** Move the image by pixels of the canvas. */
  move(x, y) {
    this.fitted = false;
    this.#centre(this.x - x / this.scale, this.y - y / this.scale);
  }

  #centre(x, y) {
    // The canvas's centre never leaves the image.
    this.x = Math.min(Math.max(x, 0), this.image.width);
    this.y = Math.min(Math.max(y, 0), this.image.height);
  }
}
