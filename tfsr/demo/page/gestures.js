// Touch, mouse, wheel and keys on a canvas and what lies over it.

const STEP = 60;
const CLICK = 4; // CSS pixels that a pointer may move in a click.
const KEYS = {
  ArrowLeft: (act) => act.move(STEP, 0),
  ArrowRight: (act) => act.move(-STEP, 0),
  ArrowUp: (act) => act.move(0, STEP),
  ArrowDown: (act) => act.move(0, -STEP),
  '+': (act) => act.zoomBy(1.25),
  '=': (act) => act.zoomBy(1.25),
  '-': (act) => act.zoomBy(0.8),
  0: (act) => act.fit(),
};

/** @param surface has the canvas, and buttons that can be clicked.
 *  @param act {move(x, y), zoomBy(factor, point), fit()}, in canvas pixels. */
export function listen(surface, canvas, act) {
  const fingers = new Map();
  const at = (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    const density = canvas.width / width;
    return { x: (event.clientX - left) * density, y: (event.clientY - top) * density };
  };
  const pair = () => {
    const [a, b] = fingers.values();
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    return { middle, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  };

  surface.addEventListener('pointerdown', (event) => {
    if (event.button > 0 || fingers.size === 2) return;
    fingers.set(event.pointerId, { ...at(event), from: [event.clientX, event.clientY] });
  });
  surface.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    if (before.from && fingers.size === 1) {
      const [x, y] = before.from;
      if (Math.hypot(event.clientX - x, event.clientY - y) < CLICK) return;
    }
    // Captured only now: a click stays that of the button below.
    if (before.from) surface.setPointerCapture(event.pointerId);
    const now = at(event);
    if (fingers.size === 1) {
      fingers.set(event.pointerId, now);
      act.move(now.x - before.x, now.y - before.y);
      return;
    }
    const from = pair();
    fingers.set(event.pointerId, now);
    const to = pair();
    act.move(to.middle.x - from.middle.x, to.middle.y - from.middle.y);
    act.zoomBy(to.apart / from.apart, to.middle);
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) {
    surface.addEventListener(end, ({ pointerId }) => fingers.delete(pointerId));
  }
  surface.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      act.zoomBy(2 ** (-event.deltaY * lines * 0.002), at(event));
    },
    { passive: false },
  );
  surface.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key](act);
  });
}
