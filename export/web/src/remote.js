// Calls to a worker, and its results: the page's side. `answering.js` is the worker's.

export class Remote {
  #worker;
  #calls = new Map();
  #count = 0;
  #failure = null;

  constructor(script) {
    this.#worker = new Worker(script);
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => this.#fail(new Error(event.message || 'the worker stopped'));
  }

  /**
   * Call one of the worker's functions.
   *
   * @param progress called with what the function reports while it runs.
   * @param patience milliseconds after which the call fails.
   */
  call(name, argument, { transfer = [], progress = () => {}, patience = Infinity } = {}) {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      const timer =
        patience < Infinity && setTimeout(() => reject(new Error('it took too long')), patience);
      const settle = (act) => (value) => {
        clearTimeout(timer);
        act(value);
      };
      this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject), progress });
      this.#worker.postMessage({ id, name, argument }, transfer);
    });
  }

  /** End the worker; calls under way fail. */
  stop() {
    this.#worker.terminate();
    this.#fail(new DOMException('The work was cancelled.', 'AbortError'));
  }

  #receive({ id, result, error, progress }) {
    const call = this.#calls.get(id);
    if (!call) return;
    if (progress !== undefined) {
      call.progress(progress);
      return;
    }
    this.#calls.delete(id);
    if (error) call.reject(new Error(error));
    else call.resolve(result);
  }

  #fail(error) {
    this.#failure = error;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
