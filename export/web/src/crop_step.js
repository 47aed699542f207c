// One face that is cropped by hand: upscaled by itself, or added to the photograph's faces.

import { Crop } from './crop.js';
import { $, announce, say, show, shown } from './dom.js';
import { reduce, toCanvas } from './images.js';
import { runsOn } from './models.js';
import { toBytes, toFloats } from './pixels.js';
import { resize } from './resize.js';

export class CropStep {
  #crop = new Crop($('crop-stage'));
  #models;
  #result;
  #image;

  /**
   * @param models a Models.
   * @param result a Result.
   * @param add called with the region of a face for the photograph.
   */
  constructor(models, result, add) {
    this.#models = models;
    this.#result = result;
    $('upscale').addEventListener('click', () => this.#upscale());
    $('add').addEventListener('click', () => add(this.#region()));
  }

  open(image) {
    this.#image = image;
    show('crop');
    this.#crop.show(image.bitmap);
    $('crop-box').focus({ preventScroll: true });
  }

  #region() {
    const { x, y, side } = this.#crop.square;
    const [half, middle] = [side / 2, (side - 1) / 2];
    return { x: x + middle, y: y + middle, down: [0, half], across: [half, 0] };
  }

  async #upscale() {
    const image = this.#image;
    const { square } = this.#crop;
    say('');
    $('crop').inert = true;
    $('upscale').textContent = 'Upscaling…';
    await shown();
    try {
      const { model, engine } = await this.#models.chosen();
      const { lr, sr } = model;
      const small = reduce(image.bitmap, square, lr);
      const floats = toFloats(small);
      const result = await engine.upscale(floats);
      const bicubic = toCanvas(resize(small, lr, lr, sr, sr), sr, sr);
      this.#result.show({
        after: toCanvas(toBytes(result.sr), sr, sr),
        before: [{ left: 0, top: 0, bitmap: bicubic }],
        regions: [],
        name: image.name,
        type: 'image/png',
        back: 'crop',
        facts:
          `${lr}×${lr} to ${sr}×${sr} pixels in ${result.seconds.toFixed(2)} s. ` +
          `${runsOn(result)}.`,
      });
      announce('upscaled', { square, small, floats, ...result });
    } catch (error) {
      say(error.message);
    } finally {
      $('crop').inert = false;
      $('upscale').textContent = 'Upscale the crop alone';
    }
  }
}
