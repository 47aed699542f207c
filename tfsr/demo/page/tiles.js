// The pixels of an output, in tiles that the server draws as they come into view.

const SIDE = 256;
const AT_ONCE = 2;
const KEPT = 400;

/** One line that a server, or the way to it, answered instead of what was asked for. */
export async function failure(response) {
  const told = await response.json().catch(() => ({}));
  const error = new Error(told.error ?? `The server answered ${response.status}.`);
  error.dropped = response.status === 404;
  return error;
}

export class Tiles {
  #address;
  #bitmaps = new Map();
  #wanted = [];
  #running = new Map();

  /** @param address of the image on the server.
   *  @param changed is called when a tile has come, and when one has failed, with an Error. */
  constructor(address, changed) {
    this.#address = address;
    this.changed = changed;
  }

  /** The tiles of an output that lie in a rectangle of it: [{left, top, columns, rows, key}]. */
  static over({ width, height }, how, { left, top, right, bottom }) {
    const found = [];
    const first = (place) => Math.floor(Math.max(place, 0) / SIDE) * SIDE;
    for (let y = first(top); y < Math.min(bottom, height); y += SIDE) {
      for (let x = first(left); x < Math.min(right, width); x += SIDE) {
        const columns = Math.min(SIDE, width - x);
        const rows = Math.min(SIDE, height - y);
        const query = new URLSearchParams({ width, height, left: x, top: y, columns, rows });
        found.push({ left: x, top: y, columns, rows, key: `${how}?${query}` });
      }
    }
    return found;
  }

  /** The tile's pixels, if they have come. */
  get(tile) {
    const bitmap = this.#bitmaps.get(tile.key);
    if (bitmap) {
      // The ones looked at last are kept longest.
      this.#bitmaps.delete(tile.key);
      this.#bitmaps.set(tile.key, bitmap);
    }
    return bitmap;
  }

  /** Fetch these tiles, the first ones first, and give up all others. */
  want(tiles) {
    this.#wanted = tiles.filter(({ key }) => !this.#bitmaps.has(key));
    const keys = new Set(this.#wanted.map(({ key }) => key));
    for (const [key, abort] of this.#running) {
      if (!keys.has(key)) abort.abort();
    }
    this.#next();
  }

  close() {
    this.want([]);
    for (const bitmap of this.#bitmaps.values()) bitmap.close();
    this.#bitmaps.clear();
  }

  #next() {
    for (const tile of this.#wanted) {
      if (this.#running.size >= AT_ONCE) return;
      if (!this.#running.has(tile.key)) this.#fetch(tile.key);
    }
  }

  async #fetch(key) {
    const abort = new AbortController();
    this.#running.set(key, abort);
    let error;
    try {
      const response = await fetch(`${this.#address}/${key}`, { signal: abort.signal });
      if (!response.ok) throw await failure(response);
      const options = { colorSpaceConversion: 'none', premultiplyAlpha: 'none' };
      this.#bitmaps.set(key, await createImageBitmap(await response.blob(), options));
      this.#forget();
    } catch (reason) {
      if (!abort.signal.aborted) error = reason;
    }
    this.#running.delete(key);
    this.#wanted = error ? [] : this.#wanted.filter((tile) => !this.#bitmaps.has(tile.key));
    if (error || this.#bitmaps.has(key)) this.changed(error);
    this.#next();
  }

  #forget() {
    for (const [key, bitmap] of this.#bitmaps) {
      if (this.#bitmaps.size <= KEPT) return;
      bitmap.close();
      this.#bitmaps.delete(key);
    }
  }
}
