// The faces that were found: outlines over the photograph, each a button.

const MARGIN = 0.1; // Between a face's box and its outline, as a part of the box.
const SMALL = 28; // CSS pixels below which an outline is thin.
const LARGE = 0.55; // Outlines that take more than this part of the stage would only disturb.

export class Faces {
  #place;
  #faces = [];

  /** @param place the element that covers the canvas.
   *  @param chosen called with the box of the face that was chosen, {x, y, width, height}.
   *  @param focused called with its box when one gets the keyboard's focus. */
  constructor(place, chosen, focused) {
    this.#place = place;
    const boxOf = ({ target }) => this.#faces.find(({ button }) => button === target)?.box;
    place.addEventListener('click', (event) => {
      const box = boxOf(event);
      if (box) chosen(box);
    });
    place.addEventListener('focusin', (event) => {
      if (event.target.matches(':focus-visible')) focused(boxOf(event));
    });
  }

  /** @param faces those of the server: [{box, restored}]. */
  show(faces) {
    this.#faces = faces.map(({ box: [x, y, width, height], restored }, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = restored ? 'face' : 'face whole';
      const name = `Face ${i + 1}, ${height} pixels, ${restored ? 'restored' : 'left as it is'}`;
      button.ariaLabel = button.title = name;
      const around = MARGIN * Math.max(width, height);
      const box = {
        x: x - around,
        y: y - around,
        width: width + 2 * around,
        height: height + 2 * around,
      };
      return { button, box };
    });
    this.#place.replaceChildren(...this.#faces.map(({ button }) => button));
  }

  /** Move the outlines to where a view shows the faces. */
  move(view) {
    const density = globalThis.devicePixelRatio;
    const { origin, canvas, size, image } = view;
    const scale = size.width / image.width;
    for (const { button, box } of this.#faces) {
      const [width, height] = [box.width * scale, box.height * scale];
      button.style.left = `${(origin.x + box.x * scale) / density}px`;
      button.style.top = `${(origin.y + box.y * scale) / density}px`;
      button.style.width = `${width / density}px`;
      button.style.height = `${height / density}px`;
      const large = width > LARGE * canvas.width || height > LARGE * canvas.height;
      button.classList.toggle('large', large);
      button.classList.toggle('small', width < SMALL * density);
    }
  }
}
