// The photograph: its faces are found, chosen and restored in the enlarged whole.

import { $, announce, count, say, show, shown } from './dom.js';
import { runsOn } from './models.js';
import { Outlines } from './outlines.js';
import { Photograph } from './photograph.js';
import { resized, sizeOf } from './region.js';
import { enlarged, factors } from './sizes.js';

export class PhotoStep {
  #outlines = new Outlines($('photo-stage'));
  #models;
  #result;
  #image;
  #photograph = null;
  #faces = [];
  #job = null;

  /**
   * @param models a Models.
   * @param result a Result.
   */
  constructor(models, result) {
    this.#models = models;
    this.#result = result;
    $('restore').addEventListener('click', () => this.#restore());
    $('cancel').addEventListener('click', () => this.cancel());
    $('factors').addEventListener('change', () => this.#describe());
  }

  /** @param image {bitmap, name, type, original}. */
  async open(image) {
    this.close();
    this.#image = image;
    this.#faces = [];
    this.#photograph = new Photograph(image.bitmap);
    this.#outlines.show(image.bitmap);
    this.#offerFactors();
    $('size').textContent = sizeLine(image);
    show('photo');
    await this.#find();
  }

  /** Take a face in that was cropped by hand. */
  add(region) {
    this.#faces.push({ confidence: 1, region, sharp: false, taken: true });
    this.#describe();
    show('photo');
    $('restore').focus({ preventScroll: true });
  }

  /** Stop the work that goes on; the photograph and its faces stay. */
  cancel() {
    if (!this.#job) return;
    this.#job = null;
    this.#photograph.stop();
    this.#photograph = new Photograph(this.#image.bitmap);
    this.#busy(false);
    $('photo').focus({ preventScroll: true });
  }

  /** Stop the work that goes on, and give the photograph's memory back. */
  close() {
    this.#job = null;
    this.#photograph?.stop();
    this.#photograph = null;
  }

  #find() {
    return this.#work('Looking for faces…', async (current, progress) => {
      const from = performance.now();
      const photograph = this.#photograph;
      const { engine, model } = await this.#models.chosen();
      const found = await photograph.find(engine, progress);
      if (!current()) return;
      this.#faces = found.map((face) => entry(face, model));
      announce('found', { faces: this.#faces, milliseconds: performance.now() - from });
    });
  }

  #restore() {
    return this.#work('Enlarging…', async (current, progress) => {
      const photograph = this.#photograph;
      const { bitmap, name, type } = this.#image;
      const faces = this.#taken();
      const size = enlarged(bitmap.width, bitmap.height, this.#factor());
      const from = performance.now();
      // Without faces it needs no model.
      const { engine, model } = faces.length ? await this.#models.chosen() : {};
      const follow = (part, number) => {
        progress((part + number) / (faces.length + 2));
        if (number && current()) report(`Restoring face ${number} of ${faces.length}…`);
      };
      const made = await photograph.restore(faces, size, engine, model, follow);
      if (!current()) return;
      const seconds = (performance.now() - from) / 1000;
      const factor = [size[0] / bitmap.width, size[1] / bitmap.height];
      this.#result.show({
        ...made,
        regions: faces.map(({ region }) => resized(region, factor)),
        name,
        type: type === 'image/png' ? type : 'image/jpeg',
        back: 'photo',
        facts:
          `${bitmap.width}×${bitmap.height} to ${size.join('×')} pixels, ` +
          `${count(faces.length, 'face')} restored, in ${seconds.toFixed(1)} s.` +
          (made.started ? ` ${runsOn(made.started)}.` : ''),
      });
      announce('restored', { size, seconds });
    });
  }

  /** Do work that can be cancelled, and show its progress. */
  async #work(title, act) {
    const job = {};
    this.#job = job;
    const current = () => this.#job === job;
    say('');
    this.#busy(true);
    report(title);
    await shown();
    try {
      await act(current, (part) => {
        if (current()) $('progress').value = part;
      });
    } catch (error) {
      if (current()) say(error.message);
    }
    if (!current()) return;
    this.#job = null;
    this.#busy(false);
  }

  #busy(working) {
    $('photo').setAttribute('aria-busy', working);
    $('progress').value = 0;
    $('progress').hidden = !working;
    $('cancel').hidden = !working;
    $('restore').hidden = working;
    $('models').disabled = working;
    $('factors').disabled = working;
    if (working) this.#outlines.outline([]);
    else this.#describe();
  }

  #taken() {
    return this.#faces.filter(({ taken }) => taken);
  }

  #describe() {
    this.#outlines.outline(this.#faces, () => this.#describeButton());
    const sharp = this.#faces.filter((face) => face.sharp).length;
    report(foundLine(this.#faces.length, sharp));
    this.#describeButton();
  }

  #describeButton() {
    const faces = this.#taken().length;
    const what = faces ? `Restore ${count(faces, 'face')}` : 'Enlarge by bicubic';
    $('restore').textContent = `${what}, ×${this.#factor()}`;
  }

  #factor() {
    return Number($('factors').querySelector('input:checked').value);
  }

  #offerFactors() {
    const { width, height } = this.#image.bitmap;
    const offered = factors(width, height);
    const chosen = offered.includes(2) ? 2 : offered.at(-1);
    const labels = offered.map((factor) => {
      const input = Object.assign(document.createElement('input'), {
        type: 'radio',
        name: 'factor',
        value: factor,
        checked: factor === chosen,
      });
      const label = document.createElement('label');
      label.append(input, `×${factor}`);
      label.title = enlarged(width, height, factor).join('×');
      return label;
    });
    $('factors').replaceChildren($('factors').querySelector('legend'), ...labels);
  }
}

function report(line) {
  $('found').textContent = line;
}

/** A face as the page shows it. One of more pixels than the model's output needs no help. */
function entry({ confidence, region }, model) {
  const sharp = sizeOf(region)[0] > model.sr;
  return { confidence, region, sharp, taken: !sharp };
}

function sizeLine({ bitmap, original }) {
  const size = `${bitmap.width}×${bitmap.height}`;
  if (original[0] === bitmap.width) return `${size} pixels`;
  return `${original.join('×')} pixels, reduced to ${size}: phones allow no larger images`;
}

function foundLine(faces, sharp) {
  if (!faces) return 'No faces found. Crop one by hand, or enlarge by bicubic alone.';
  const found = `${count(faces, 'face')} found`;
  if (sharp === faces) return `${found}, already sharp enough.`;
  const enough = sharp ? ` ${sharp} already sharp enough.` : '';
  return `${found}.${enough} Tap one to leave it out.`;
}
