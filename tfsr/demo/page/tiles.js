// Tiles of an output, rendered by the server as they come into view.

const SIDE = 256;
const CONCURRENCY = 2;
const MAX_CACHED = 400;

/** The error of a response, in one line. */
export async function failure(response) {
  const body = await response.json().catch(() => ({}));
  const error = new Error(body.error ?? `The server returned status ${response.status}.`);
  error.dropped = response.status === 404;
  return error;
}

export class Tiles {
  #address;
  #bitmaps = new Map();
  #wanted = [];
  #running = new Map();

  /** @param address of the image on the server.
   *  @param changed called when a tile has loaded, or with an Error. */
  constructor(address, changed) {
    this.#address = address;
    this.changed = changed;
  }

  /** The tiles of an output that overlap a rectangle: [{left, top, columns, rows, key}].
   *  @param source what renders them: {method, strength}. */
  static over({ width, height }, source, { left, top, right, bottom }) {
    const found = [];
    const first = (place) => Math.floor(Math.max(place, 0) / SIDE) * SIDE;
    for (let y = first(top); y < Math.min(bottom, height); y += SIDE) {
      for (let x = first(left); x < Math.min(right, width); x += SIDE) {
        const columns = Math.min(SIDE, width - x);
        const rows = Math.min(SIDE, height - y);
        const query = new URLSearchParams({ width, height, left: x, top: y, columns, rows });
        if (source.strength != null) query.set('strength', source.strength);
        found.push({ left: x, top: y, columns, rows, key: `${source.method}?${query}` });
      }
    }
    return found;
  }

  /** The tile's bitmap, if it is loaded. */
  get(tile) {
    const bitmap = this.#bitmaps.get(tile.key);
    if (bitmap) {
      // The least recently used are evicted first.
      this.#bitmaps.delete(tile.key);
      this.#bitmaps.set(tile.key, bitmap);
    }
    return bitmap;
  }

  /** Fetch these tiles in order, and cancel all others. */
  request(tiles) {
    this.#wanted = tiles.filter(({ key }) => !this.#bitmaps.has(key));
    const keys = new Set(this.#wanted.map(({ key }) => key));
    for (const [key, abort] of this.#running) {
      if (!keys.has(key)) abort.abort();
    }
    this.#next();
  }

  close() {
    this.request([]);
    for (const bitmap of this.#bitmaps.values()) bitmap.close();
    this.#bitmaps.clear();
  }

  #next() {
    for (const tile of this.#wanted) {
      if (this.#running.size >= CONCURRENCY) return;
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
      if (this.#bitmaps.size <= MAX_CACHED) return;
      bitmap.close();
      this.#bitmaps.delete(key);
    }
  }
}
