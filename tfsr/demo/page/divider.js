// The divider: a slider from 0 to 100 percent.

const ARROWS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2 };
const STEPS = { ...ARROWS, PageDown: -10, PageUp: 10 };
const ENDS = { Home: 0, End: 100 };

export class Divider {
  percent = 50;
  #handle;
  #changed;

  /** @param handle the slider's element, inside the stage.
   *  @param changed called after each move. */
  constructor(handle, changed) {
    this.#handle = handle;
    this.#changed = changed;
    handle.addEventListener('pointerdown', ({ button, pointerId }) => {
      if (button === 0) handle.setPointerCapture(pointerId);
    });
    handle.addEventListener('pointermove', ({ pointerId, clientX }) => {
      if (!handle.hasPointerCapture(pointerId)) return;
      const { left, width } = handle.parentElement.getBoundingClientRect();
      this.#set((100 * (clientX - left)) / width);
    });
    handle.addEventListener('keydown', (event) => {
      if (event.key in STEPS) this.#set(this.percent + STEPS[event.key]);
      else if (event.key in ENDS) this.#set(ENDS[event.key]);
      else return;
      event.preventDefault();
    });
  }

  #set(percent) {
    this.percent = Math.min(Math.max(Math.round(percent), 0), 100);
    this.#handle.style.left = `${this.percent}%`;
    this.#handle.setAttribute('aria-valuenow', this.percent);
    this.#handle.setAttribute('aria-valuetext', `${this.percent}% before`);
    this.#changed();
  }
}
