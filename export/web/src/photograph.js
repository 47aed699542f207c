// A photograph: finds its faces, and restores them. Its pixels are in a worker of its own, so that
// ending the worker cancels the work.

import { INPUT, merge, moved } from './detector.js';
import { EYES_AND_MOUTH, fit, grown, position, resized, sizeOf } from './region.js';
import { Remote } from './remote.js';
import { plan } from './search.js';

// Landmarks are found once more on the upright face, in a square this much larger than its region.
const CLOSER = 2;

// Smaller regions are no faces that can be restored, as in tfsr.faces.
const MIN_SIDE = 16;

const EYES_AND_MOUTH_POINTS = [0, 1, 3];

export class Photograph {
  #pixels = new Remote('photo.js');
  #opened;

  constructor(bitmap) {
    this.width = bitmap.width;
    this.height = bitmap.height;
    // A copy: the page goes on showing its own.
    this.#opened = this.#pixels.call('open', bitmap);
    // A failure is reported by what waits for it, if anything does.
    this.#opened.catch(() => {});
  }

  /**
   * Find the faces, the largest first: {confidence, region}.
   *
   * @param engine runs the detector.
   * @param progress called with the part that is done.
   */
  async find(engine, progress) {
    await this.#opened;
    const levels = plan(this.width, this.height);
    const count = levels.reduce((sum, { tiles }) => sum + tiles.length, 0);
    let done = 0;
    const candidates = [];
    for (const level of levels) {
      await this.#pixels.call('reduce', level);
      const [scaleX, scaleY] = [this.width / level.width, this.height / level.height];
      for (const [left, top] of level.tiles) {
        const found = await engine.detect(await this.#pixels.call('tile', [left, top]));
        const inLevel = moved(merge(found), INPUT, left, top);
        candidates.push(...inLevel.map((face) => stretched(face, scaleX, scaleY)));
        progress(++done / count);
      }
    }
    const faces = [];
    for (const face of merge(candidates)) faces.push(await this.#closer(face, engine));
    const kept = merge(faces).map((face) => ({ confidence: face.confidence, region: regionOf(face) }));
    return kept
      .filter(({ region }) => sizeOf(region)[0] >= MIN_SIDE)
      .sort((a, b) => sizeOf(b.region)[0] - sizeOf(a.region)[0]);
  }

  /** The same face with the landmarks that the detector finds on it upright and larger. */
  async #closer(face, engine) {
    const region = grown(regionOf(face), CLOSER);
    const found = await engine.detect(await this.#pixels.call('closer', region));
    // In the region's own coordinates.
    const [best] = merge(moved(found, 2, -1, -1)).filter(({ box: [x, y, width, height] }) =>
      Math.hypot(x + width / 2, y + height / 2) < 0.5 / CLOSER,
    );
    if (!best) return face;
    return { ...face, points: best.points.map((point) => position(region, point)) };
  }

  /**
   * Enlarge the photograph by bicubic, and restore these faces in it.
   *
   * @param model an entry of models.json, which `engine` runs.
   * @returns {after, before, started}: a bitmap, the bicubic patches that the faces have replaced,
   *   and what the model ran on.
   */
  async restore(faces, [width, height], engine, model, progress) {
    await this.#opened;
    await this.#pixels.call('enlarge', { width, height }, { progress: (part) => progress(part, 0) });
    const factors = [width / this.width, height / this.height];
    let started = null;
    for (const [i, { region }] of faces.entries()) {
      progress(1, i + 1);
      const { lr, sr } = model;
      for (const place of await this.#pixels.call('face', { region, lr, sr })) {
        const input = await this.#pixels.call('faceTile', place);
        const output = await engine.upscale(input);
        started = { backend: output.backend, threads: output.threads };
        await this.#pixels.call('addTile', { place, sr: output.sr });
      }
      await this.#pixels.call('paste', resized(region, factors));
    }
    return { ...(await this.#pixels.call('finish')), started };
  }

  stop() {
    this.#pixels.stop();
  }
}

/** Pixel edges to pixels: a point in a reduced photograph in the photograph itself. */
function stretched({ confidence, box: [x, y, width, height], points }, scaleX, scaleY) {
  return {
    confidence,
    box: [x * scaleX, y * scaleY, width * scaleX, height * scaleY],
    points: points.map((point) => [point[0] * scaleX - 0.5, point[1] * scaleY - 0.5]),
  };
}

function regionOf({ points }) {
  return fit(
    EYES_AND_MOUTH_POINTS.map((i) => points[i]),
    EYES_AND_MOUTH,
  );
}
