// An image on the stage: before on one side of the divider, after on the other.

import { Divider } from './divider.js';
import { Faces } from './faces.js';
import { listen } from './gestures.js';
import { Tiles } from './tiles.js';
import { View } from './view.js';

const REQUEST_DELAY = 80; // Milliseconds after the last zoom.
const BICUBIC = { method: 'bicubic' };

export class Stage {
  #stage;
  #canvas;
  #divider;
  #listener;
  #view;
  #tiles;
  #faces;
  #restored; // {strength, reduces} of what is shown on the right; before that it is as the left.
  #complete; // The last {size, sources} of which all tiles were shown, the background of the next.
  #frame;
  #requestTimer;

  /** @param listener {changed(view), rendered(tiles, missing), failed(error)}. */
  constructor(stage, listener) {
    this.#stage = stage;
    this.#listener = listener;
    this.#canvas = stage.querySelector('canvas');
    this.#divider = new Divider(stage.querySelector('[role=slider]'), () => this.#redraw());
    this.#faces = new Faces(
      stage.querySelector('#faces'),
      (box) => this.#change((view) => view.closeUp(box)),
      (box) => this.#change((view) => view.reveal(box)),
    );
    listen(stage.querySelector('#surface'), this.#canvas, {
      move: (x, y) => this.#change((view) => view.move(x, y)),
      zoomBy: (factor, place) => this.#change((view) => view.zoom(view.scale * factor, place)),
      fit: () => this.fit(),
    });
    new ResizeObserver(() => this.#measure()).observe(stage);
  }

  /** @param image {id, width, height} from the server.
   *  @param again whether it is the current image under a new id: the view stays. */
  show(image, again = false) {
    this.#tiles?.close();
    this.#tiles = new Tiles(`images/${image.id}`, (error) => {
      if (error) this.#listener.failed(error);
      else this.#redraw();
    });
    this.#complete = this.#restored = null;
    this.#faces.show([]);
    if (!again) this.#view = new View(image);
    this.#measure();
  }

  /** @param faces those that were found in the image. */
  outline(faces) {
    this.#faces.show(faces);
    this.#faces.move(this.#view);
  }

  /** Show the restored image on the right.
   *  @param strength or null.
   *  @param reduces whether the server reduces it, or bicubic does. */
  restore(strength, reduces) {
    this.#restored = { strength, reduces };
    this.#change(() => {});
  }

  zoom(scale) {
    this.#change((view) => view.zoom(scale));
  }

  fit() {
    this.#change((view) => view.fit());
  }

  #measure() {
    const density = globalThis.devicePixelRatio;
    const { width, height } = this.#stage.getBoundingClientRect();
    this.#canvas.width = Math.max(1, Math.round(width * density));
    this.#canvas.height = Math.max(1, Math.round(height * density));
    this.#change((view) => view.resize(this.#canvas.width, this.#canvas.height));
  }

  #change(act) {
    if (!this.#view) return;
    act(this.#view);
    this.#faces.move(this.#view);
    this.#listener.changed(this.#view);
    this.#redraw();
    clearTimeout(this.#requestTimer);
    this.#requestTimer = setTimeout(() => this.#requestTiles(), REQUEST_DELAY);
  }

  #redraw() {
    cancelAnimationFrame(this.#frame);
    if (this.#view) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** Request the missing tiles, visible ones first, from the centre outwards. */
  #requestTiles() {
    const { origin, canvas } = this.#view;
    const edge = (canvas.width * this.#divider.percent) / 100;
    const ranked = this.#sides().flatMap(({ tiles, left }) =>
      tiles.map((tile) => {
        const x = origin.x + tile.left + tile.columns / 2;
        const y = origin.y + tile.top + tile.rows / 2;
        const hidden = left ? x - tile.columns / 2 > edge : x + tile.columns / 2 < edge;
        const away = Math.hypot(x - canvas.width / 2, y - canvas.height / 2);
        return { tile, rank: away + (hidden ? 1e6 : 0) };
      }),
    );
    ranked.sort((a, b) => a.rank - b.rank);
    this.#tiles.request(ranked.map(({ tile }) => tile));
  }

  /** What renders the left and the right. */
  get #sources() {
    const { strength, reduces } = this.#restored ?? {};
    const restored = this.#restored && (this.#view.scale >= 1 || reduces);
    return [BICUBIC, restored ? { method: 'tfsr', strength } : BICUBIC];
  }

  #sides(size = this.#view.size, sources = this.#sources, visible = this.#view.visible) {
    return sources.map((source, i) => ({
      left: i === 0,
      tiles: Tiles.over(size, source, visible),
    }));
  }

  #draw() {
    const { width, height } = this.#canvas;
    const context = this.#canvas.getContext('2d');
    const edge = Math.round((width * this.#divider.percent) / 100);
    context.clearRect(0, 0, width, height);
    const [size, sources] = [this.#view.size, this.#sources];
    let [count, missing] = [0, 0];
    for (const [i, side] of this.#sides().entries()) {
      context.save();
      context.beginPath();
      context.rect(side.left ? 0 : edge, 0, side.left ? edge : width - edge, height);
      context.clip();
      const lacks = side.tiles.filter((tile) => !this.#tiles.get(tile)).length;
      if (lacks && this.#complete) this.#drawTiles(this.#complete, i);
      this.#drawTiles({ size, sources }, i);
      context.restore();
      count += side.tiles.length;
      missing += lacks;
    }
    if (!missing) this.#complete = { size, sources };
    const done = !missing && this.#restored;
    this.#stage.dataset.rendered = done ? `${size.width}x${size.height}` : '';
    this.#stage.setAttribute('aria-busy', !done);
    if (this.#restored) this.#listener.rendered(count, missing);
  }

  /** Draw the loaded tiles of an output of another size, scaled to the view's. */
  #drawTiles({ size, sources }, i) {
    const context = this.#canvas.getContext('2d');
    const { origin, visible, size: shown } = this.#view;
    const ratio = shown.width / size.width;
    const there = Object.fromEntries(Object.entries(visible).map(([k, v]) => [k, v / ratio]));
    for (const tile of this.#sides(size, sources, there)[i].tiles) {
      const bitmap = this.#tiles.get(tile);
      if (!bitmap) continue;
      const [left, top, right, bottom] = [
        tile.left,
        tile.top,
        tile.left + tile.columns,
        tile.top + tile.rows,
      ].map((place) => Math.round(place * ratio));
      context.drawImage(bitmap, origin.x + left, origin.y + top, right - left, bottom - top);
    }
  }
}
