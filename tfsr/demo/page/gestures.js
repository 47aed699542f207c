// Touch, mouse, wheel and keys on a canvas.

const STEP = 60;
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

/** @param act {move(x, y), zoomBy(factor, point), fit()}, in canvas pixels. */
export function listen(canvas, act) {
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

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button > 0 || fingers.size === 2) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
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
  for (const end of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(end, ({ pointerId }) => fingers.delete(pointerId));
  }
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      act.zoomBy(2 ** (-event.deltaY * lines * 0.002), at(event));
    },
    { passive: false },
  );
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key](act);
  });
}
