// Where an image lies on the screen: a scale, and the point of it in the middle.

export const LARGEST = 64;
const SMALL = 12; // Images are shown at this at most, until somebody zooms in.

export class View {
  /** @param image {width, height} in its own pixels. */
  constructor(image) {
    this.image = image;
    this.canvas = { width: 1, height: 1 };
    this.fit();
  }

  /** The scale at which the whole image is seen. */
  get fitting() {
    const { image, canvas } = this;
    return Math.min(canvas.width / image.width, canvas.height / image.height, SMALL);
  }

  get smallest() {
    return Math.min(1, this.fitting);
  }

  /** What the whole output measures, rounded as the command line does. */
  get size() {
    const side = (length) => Math.max(1, Math.floor(length * this.scale + 0.5));
    return { width: side(this.image.width), height: side(this.image.height) };
  }

  /** Where the output's first pixel lies on the canvas. */
  get origin() {
    const { image, canvas, size } = this;
    return {
      x: Math.round(canvas.width / 2 - (this.x * size.width) / image.width),
      y: Math.round(canvas.height / 2 - (this.y * size.height) / image.height),
    };
  }

  /** The rectangle of the output that the canvas shows. */
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

  /** Zoom to a scale; what lies at a place of the canvas, or in its middle, stays there. */
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
    // The middle of the canvas never leaves the image.
    this.x = Math.min(Math.max(x, 0), this.image.width);
    this.y = Math.min(Math.max(y, 0), this.image.height);
  }
}
