// A photograph: finds its faces, and restores them. Its pixels are in a worker of its own, so that
// ending the worker cancels the work.

import { INPUT, merge, moved, shared } from './detector.js';
import { EYES_AND_MOUTH, fit, sizeOf } from './region.js';
import { Remote } from './remote.js';
import { plan } from './search.js';

// The least confidence of a face, both in a tile and when it is seen larger and in the middle.
const CONFIDENCE = 0.5;

// Half the side of the square in which it is found once more, in sides of its box.
const CLOSER = 1.67;

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
        const found = await engine.detect(await this.#pixels.call('tile', [left, top]), CONFIDENCE);
        const inLevel = moved(merge(found), INPUT, left, top);
        candidates.push(...inLevel.map((face) => stretched(face, scaleX, scaleY)));
        progress(++done / count);
      }
    }
    const faces = [];
    for (const face of merge(candidates)) {
      const better = await this.#closer(face, engine);
      if (better) faces.push(better);
    }
    return merge(faces)
      .map((face) => ({ confidence: face.confidence, region: regionOf(face) }))
      .filter(({ region }) => sizeOf(region)[0] >= MIN_SIDE)
      .sort((a, b) => sizeOf(b.region)[0] - sizeOf(a.region)[0]);
  }

  /** The same face as the detector finds it once more, larger and in the middle, or null. */
  async #closer({ confidence, box: [x, y, width, height] }, engine) {
    const half = Math.max(width, height) * CLOSER;
    const [left, top] = [x + width / 2 - half, y + height / 2 - half];
    const centre = { x: left + half - 0.5, y: top + half - 0.5 };
    const region = { ...centre, down: [0, half], across: [half, 0] };
    const found = await engine.detect(await this.#pixels.call('closer', region), CONFIDENCE);
    const same = merge(moved(found, 2 * half, left, top)).find(
      ({ box }) => shared(box, [x, y, width, height]) >= 0.5,
    );
    return same && { ...same, confidence: Math.max(confidence, same.confidence) };
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
    const enlarging = { progress: (part) => progress(part, 0) };
    await this.#pixels.call('enlarge', { width, height }, enlarging);
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
      await this.#pixels.call('paste', region);
    }
    return { ...(await this.#pixels.call('finish')), started };
  }

  stop() {
    this.#pixels.stop();
  }
}

function stretched({ confidence, box: [x, y, width, height], points }, scaleX, scaleY) {
  return {
    confidence,
    box: [x * scaleX, y * scaleY, width * scaleX, height * scaleY],
    points: points.map((point) => [point[0] * scaleX, point[1] * scaleY]),
  };
}

/** Points count from the image's edge, regions from the centre of its first pixel. */
function regionOf({ points }) {
  return fit(
    EYES_AND_MOUTH_POINTS.map((i) => points[i].map((place) => place - 0.5)),
    EYES_AND_MOUTH,
  );
}
