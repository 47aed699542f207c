// Calls to a worker, and its results: the worker's side. `remote.js` is the page's.

/** A result whose buffers or bitmaps are moved to the page instead of copied. */
export class Moved {
  constructor(value, transfer) {
    this.value = value;
    this.transfer = transfer;
  }
}

/**
 * Answer calls by these functions of (argument, report), one after the other.
 *
 * `report` sends the page how far the work is.
 */
export function answer(functions) {
  let last = Promise.resolve();
  self.onmessage = ({ data: { id, name, argument } }) => {
    const report = (progress) => self.postMessage({ id, progress });
    last = last.then(async () => {
      try {
        const result = await functions[name](argument, report);
        const { value, transfer } = result instanceof Moved ? result : new Moved(result, []);
        self.postMessage({ id, result: value }, transfer);
      } catch (error) {
        const [line] = String(error?.message ?? error).split('\n');
        self.postMessage({ id, error: line });
      }
    });
  };
}
