// Two images of one size on a canvas, and a divider between them.

const ARROWS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2 };
const STEPS = { ...ARROWS, PageDown: -10, PageUp: 10 };

export class Compare {
  #stage;
  #canvas;
  #handle;
  #left;
  #right;

  /** @param stage an element with a canvas and a handle, which is a slider from 0 to 100. */
  constructor(stage) {
    this.#stage = stage;
    this.#canvas = stage.querySelector('canvas');
    this.#handle = stage.querySelector('[role=slider]');
    stage.addEventListener('pointerdown', (event) => {
      if (event.button > 0) return;
      stage.setPointerCapture(event.pointerId);
      this.#handle.focus({ preventScroll: true });
      this.#follow(event);
    });
    stage.addEventListener('pointermove', (event) => {
      if (stage.hasPointerCapture(event.pointerId)) this.#follow(event);
    });
    this.#handle.addEventListener('keydown', (event) => {
      const ends = { Home: 0, End: 100 };
      if (event.key in STEPS) this.#set(this.percent + STEPS[event.key]);
      else if (event.key in ends) this.#set(ends[event.key]);
      else return;
      event.preventDefault();
    });
  }

  /** @param left, right canvases of one size. */
  show(left, right) {
    this.#left = left;
    this.#right = right;
    this.#canvas.width = right.width;
    this.#canvas.height = right.height;
    this.#set(50);
  }

  #follow(event) {
    const { left, width } = this.#stage.getBoundingClientRect();
    this.#set(Math.round((100 * (event.clientX - left)) / width));
  }

  #set(percent) {
    this.percent = Math.min(Math.max(percent, 0), 100);
    const { width, height } = this.#canvas;
    const edge = Math.round((width * this.percent) / 100);
    const context = this.#canvas.getContext('2d', { alpha: false });
    context.drawImage(this.#right, 0, 0);
    if (edge > 0) context.drawImage(this.#left, 0, 0, edge, height, 0, 0, edge, height);
    this.#handle.style.left = `${this.percent}%`;
    this.#handle.setAttribute('aria-valuenow', this.percent);
    this.#handle.setAttribute('aria-valuetext', `${this.percent}% bicubic`);
  }
}
