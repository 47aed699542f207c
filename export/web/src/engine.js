// The model in a worker, on the first backend that works: WebGPU, WebAssembly with threads,
// WebAssembly without.

const BACKENDS = ['webgpu', 'threads', 'wasm'];

// A graphics driver that takes longer to start is given up.
const PATIENCE = { webgpu: 30_000 };

export class Engine {
  #model;
  #bytes;
  #left;
  #worker = null;
  #ready = null;

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
      try {
        return { ...(await this.#ask({ lr })), ...started };
      } catch (error) {
        this.stop();
        if (this.#left.length === 1) throw new Error(`The model failed: ${error.message}`);
        this.#left.shift();
      }
    }
  }

  stop() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = null;
  }

  async #next() {
    this.#bytes ??= await download(this.#model.url);
    for (;;) {
      this.#worker = new Worker('worker.js');
      const start = {
        backend: this.#left[0],
        wasm: new URL('wasm/', document.baseURI).href,
        model: this.#model,
        bytes: this.#bytes,
      };
      try {
        return (await this.#ask({ start }, PATIENCE[start.backend])).started;
      } catch (error) {
        console.info(`${this.#left[0]}: ${error.message}`);
        this.#worker.terminate();
        if (this.#left.length === 1) {
          throw new Error(`The model could not be loaded: ${error.message}`);
        }
        this.#left.shift();
      }
    }
  }

  #ask(message, patience = Infinity) {
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      if (patience < Infinity) setTimeout(() => reject(new Error('it took too long')), patience);
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
      worker.onerror = (event) => reject(new Error(event.message || 'the worker stopped'));
      worker.postMessage(message);
    });
  }
}

async function download(url) {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Error(`The model could not be loaded: ${error.message}`);
  }
}
