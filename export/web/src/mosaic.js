// The pixels around a face, in tiles of the model's input size; the outputs are joined without
// seams.

import { imageOf } from './paste.js';
import { toFloats } from './pixels.js';

// Of neighbouring tiles in pixels, at most a quarter of a tile. Near its edges a tile lacks what
// the model would see beyond them.
const OVERLAP = 16;
// Share of the overlap that is left out at an edge; over the rest one tile fades into the next.
const UNUSED = 1 / 4;

export class Mosaic {
  #crop;
  #scale;
  #overlap;
  #sum;
  #weight;

  /**
   * @param crop an image, neither narrower nor lower than a tile.
   * @param lr, sr sides of the model's input and output.
   */
  constructor(crop, lr, sr) {
    this.#crop = crop;
    this.lr = lr;
    this.#scale = sr / lr;
    this.#overlap = Math.min(OVERLAP, lr >> 2);
    const [lefts, tops] = [crop.width, crop.height].map((side) => spread(side, lr, this.#overlap));
    /** [left, top] of the tiles. */
    this.tiles = tops.flatMap((top) => lefts.map((left) => [left, top]));
    this.width = Math.round(crop.width * this.#scale);
    this.height = Math.round(crop.height * this.#scale);
    this.#sum = new Float32Array(this.width * this.height * 3);
    this.#weight = new Float32Array(this.width * this.height);
  }

  /** A tile for the model. */
  input([left, top]) {
    const { data, width } = this.#crop;
    const tile = new Uint8ClampedArray(this.lr * this.lr * 4);
    for (let row = 0; row < this.lr; row++) {
      const from = ((top + row) * width + left) * 4;
      tile.set(data.subarray(from, from + this.lr * 4), row * this.lr * 4);
    }
    return toFloats(tile);
  }

  /** Add what the model made of a tile: float RGB in [0, 1]. */
  add([left, top], output) {
    const size = Math.round(this.lr * this.#scale);
    const [x, y] = [left, top].map((start) => Math.round(start * this.#scale));
    const across = this.#opacity(left, size, this.#crop.width);
    const down = this.#opacity(top, size, this.#crop.height);
    for (let row = 0, from = 0; row < size; row++) {
      let to = (y + row) * this.width + x;
      for (let column = 0; column < size; column++, to++, from += 3) {
        const weight = down[row] * across[column];
        this.#weight[to] += weight;
        for (let i = 0; i < 3; i++) this.#sum[3 * to + i] += weight * output[from + i];
      }
    }
  }

  /** The joined outputs. */
  image() {
    const image = imageOf(this.width, this.height);
    this.#weight.forEach((weight, pixel) => {
      for (let i = 0; i < 3; i++) {
        image.data[4 * pixel + i] = (255 * this.#sum[3 * pixel + i]) / weight;
      }
    });
    return image;
  }

  /** Of a tile's rows or columns: fading towards its neighbours, not towards the crop's edges. */
  #opacity(start, size, length) {
    const fade = this.#overlap * this.#scale;
    const ramp = (distance) =>
      Math.min(1, Math.max(1e-3, ((distance + 0.5) / fade - UNUSED) / (1 - 2 * UNUSED)));
    const end = start + this.lr < length;
    return Float32Array.from({ length: size }, (_, i) =>
      Math.min(start > 0 ? ramp(i) : 1, end ? ramp(size - 1 - i) : 1),
    );
  }
}

function spread(length, tile, overlap) {
  if (length <= tile) return [0];
  const count = Math.ceil((length - overlap) / (tile - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tile)) / (count - 1)));
}
