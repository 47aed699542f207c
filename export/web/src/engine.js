// The model, and the face detector, in a worker, on the first backend that works: WebGPU,
// WebAssembly with threads, WebAssembly without.

import { Remote } from './remote.js';

const BACKENDS = ['webgpu', 'threads', 'wasm'];

// A graphics driver that takes longer to start is given up.
const PATIENCE = { webgpu: 30_000 };

const DETECTOR = 'detector/face_detection_full_range.tflite';

export class Engine {
  #model;
  #bytes;
  #detectorBytes;
  #left;
  #worker = null;
  #ready = null;
  #detector = null;

  /**
   * @param model an entry of models.json.
   * @param only the one backend to use, or null for all in turn.
   */
  constructor(model, only = null) {
    this.#model = model;
    this.#left = only ? [only] : [...BACKENDS];
  }

  /** Load the model: {backend, threads}. May be called again at no cost. */
  start() {
    this.#ready ??= this.#next().catch((error) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  /** @returns {Promise<{sr: Float32Array, seconds: number, backend: string, threads?: number}>} */
  async upscale(lr) {
    for (;;) {
      const started = await this.start();
      const worker = this.#worker;
      try {
        return { ...(await worker.call('upscale', lr)), ...started };
      } catch (error) {
        if (worker !== this.#worker) throw error;
        this.stop();
        if (this.#left.length === 1) throw new Error(`The model failed: ${error.message}`);
        this.#left.shift();
      }
    }
  }

  /** The faces of at least a confidence in what the detector sees at once: float RGB in [-1, 1]. */
  async detect(pixels, least) {
    await this.start();
    this.#detector ??= this.#loadDetector().catch((error) => {
      this.#detector = null;
      throw error;
    });
    await this.#detector;
    return this.#worker.call('detect', { pixels, least }, { transfer: [pixels.buffer] });
  }

  stop() {
    this.#worker?.stop();
    this.#worker = null;
    this.#ready = null;
    this.#detector = null;
  }

  async #next() {
    this.#bytes ??= await download(this.#model.url, 'model');
    for (;;) {
      const worker = new Remote('worker.js');
      this.#worker = worker;
      const start = {
        backend: this.#left[0],
        wasm: new URL('wasm/', document.baseURI).href,
        model: this.#model,
        bytes: this.#bytes,
      };
      try {
        return await worker.call('start', start, { patience: PATIENCE[start.backend] });
      } catch (error) {
        if (worker !== this.#worker) throw error;
        console.info(`${this.#left[0]}: ${error.message}`);
        worker.stop();
        if (this.#left.length === 1) {
          throw new Error(`The model could not be loaded: ${error.message}`);
        }
        this.#left.shift();
      }
    }
  }

  async #loadDetector() {
    this.#detectorBytes ??= await download(DETECTOR, 'face detector');
    await this.#worker.call('loadDetector', this.#detectorBytes);
  }
}

async function download(url, what) {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Error(`The ${what} could not be loaded: ${error.message}`);
  }
}
