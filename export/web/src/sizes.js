// How far a photograph may be enlarged.

/** Pixels of the largest canvas that all phones allow: 4096x4096 on an iPhone. */
export const MOST_PIXELS = 2 ** 24;

const FACTORS = [1, 1.5, 2, 3, 4];

export function enlarged(width, height, factor) {
  return [Math.round(width * factor), Math.round(height * factor)];
}

/** The three largest factors whose output is allowed, or those there are. */
export function factors(width, height) {
  const allowed = FACTORS.filter((factor) => {
    const [w, h] = enlarged(width, height, factor);
    return w * h <= MOST_PIXELS;
  });
  return allowed.slice(-3);
}

/** The size that a photograph of more pixels is reduced to, or its own. */
export function admitted(width, height) {
  const factor = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  return [width, height].map((length) => Math.max(1, Math.floor(length * factor)));
}
