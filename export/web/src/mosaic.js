// A face larger than the model's input: its tiles, and their outputs joined without seams.

import { imageOf } from './paste.js';
import { toFloats } from './pixels.js';

// Of neighbouring tiles in pixels, at most a quarter of a tile. Near its edges a tile lacks what
// the model would see beyond them.
const OVERLAP = 16;
// Share of the overlap that is left out at an edge; over the rest one tile fades into the next.
const UNUSED = 1 / 4;

export class Mosaic {
  #crop;
  #lr;
  #scale;
  #overlap;
  #sum;
  #weight;

  /**
   * @param crop an image, square and no smaller than a tile.
   * @param lr, sr sides of the model's input and output.
   */
  constructor(crop, lr, sr) {
    this.#crop = crop;
    this.#lr = lr;
    this.#scale = sr / lr;
    this.#overlap = Math.min(OVERLAP, lr >> 2);
    const starts = spread(crop.width, lr, this.#overlap);
    /** [left, top] of the tiles. */
    this.tiles = starts.flatMap((top) => starts.map((left) => [left, top]));
    const side = Math.round(crop.width * this.#scale);
    this.side = side;
    this.#sum = new Float32Array(side * side * 3);
    this.#weight = new Float32Array(side * side);
  }

  /** A tile for the model. */
  input([left, top]) {
    const { data, width } = this.#crop;
    const tile = new Uint8ClampedArray(this.#lr * this.#lr * 4);
    for (let row = 0; row < this.#lr; row++) {
      const from = ((top + row) * width + left) * 4;
      tile.set(data.subarray(from, from + this.#lr * 4), row * this.#lr * 4);
    }
    return toFloats(tile);
  }

  /** Add what the model made of a tile: float RGB in [0, 1]. */
  add([left, top], output) {
    const size = Math.round(this.#lr * this.#scale);
    const [x, y] = [left, top].map((start) => Math.round(start * this.#scale));
    const across = this.#opacity(left, size);
    const down = this.#opacity(top, size);
    for (let row = 0, from = 0; row < size; row++) {
      let to = (y + row) * this.side + x;
      for (let column = 0; column < size; column++, to++, from += 3) {
        const weight = down[row] * across[column];
        this.#weight[to] += weight;
        for (let i = 0; i < 3; i++) this.#sum[3 * to + i] += weight * output[from + i];
      }
    }
  }

  /** The joined outputs. */
  image() {
    const image = imageOf(this.side, this.side);
    this.#weight.forEach((weight, pixel) => {
      for (let i = 0; i < 3; i++) {
        image.data[4 * pixel + i] = (255 * this.#sum[3 * pixel + i]) / weight;
      }
    });
    return image;
  }

  /** Of a tile's rows or columns: fading towards its neighbours, not towards the crop's edges. */
  #opacity(start, size) {
    const fade = this.#overlap * this.#scale;
    const ramp = (distance) =>
      Math.min(1, Math.max(1e-3, ((distance + 0.5) / fade - UNUSED) / (1 - 2 * UNUSED)));
    const end = start + this.#lr < this.#crop.width;
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
