// The place of a face in an image: a rectangle, possibly rotated, as tfsr.faces.FaceRegion.
//
// {x, y, down, across}: its centre in pixels, integers being pixel centres, and the ways [x, y]
// from there to the middle of its lower and of its right edge. Its own coordinates are [-1, 1].

/** Where the eyes and the middle of the mouth lie in an aligned face, [across, down].
 *
 * The eyes as in tfsr.faces.EYES. The mouth: the mean of what the detector finds in 123 faces whose
 * regions tfsr.faces found by another detector.
 */
export const EYES_AND_MOUTH = [
  [-1 / 4, -13 / 256],
  [1 / 4, -13 / 256],
  [0, 0.48],
];

// The model was trained on faces aligned by their eyes; the mouth decides where a head is turned.
export const WEIGHTS = [1, 1, 0.5];

/**
 * The square whose `places` come nearest to `points` by least squares: a similarity transform.
 *
 * @param points [x, y] in pixels of the image.
 * @param places [across, down] of each in the region.
 */
export function fit(points, places = EYES_AND_MOUTH, weights = WEIGHTS) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = (list, axis) =>
    list.reduce((sum, point, i) => sum + weights[i] * point[axis], 0) / total;
  const [x, y, u, v] = [mean(points, 0), mean(points, 1), mean(places, 0), mean(places, 1)];
  let [ax, ay, spread] = [0, 0, 0];
  points.forEach((point, i) => {
    const [dx, dy] = [point[0] - x, point[1] - y];
    const [du, dv] = [places[i][0] - u, places[i][1] - v];
    ax += weights[i] * (du * dx + dv * dy);
    ay += weights[i] * (du * dy - dv * dx);
    spread += weights[i] * (du * du + dv * dv);
  });
  ax /= spread;
  ay /= spread;
  return { x: x - u * ax + v * ay, y: y - u * ay - v * ax, down: [-ay, ax], across: [ax, ay] };
}

/** [width, height] in pixels of the image, rounded. */
export function sizeOf({ down, across }) {
  return [across, down].map((half) => Math.max(1, Math.round(2 * Math.hypot(...half))));
}

/** The same region after resizing the image by these factors. */
export function resized({ x, y, down, across }, [fx, fy]) {
  return {
    x: (x + 0.5) * fx - 0.5,
    y: (y + 0.5) * fy - 0.5,
    down: [down[0] * fx, down[1] * fy],
    across: [across[0] * fx, across[1] * fy],
  };
}

/** A region of another size about the same centre. */
export function grown({ x, y, down, across }, factor) {
  const longer = (way) => way.map((length) => length * factor);
  return { x, y, down: longer(down), across: longer(across) };
}

/** The position in the image of a place in the region. */
export function position({ x, y, down, across }, [u, v]) {
  return [x + u * across[0] + v * down[0], y + u * across[1] + v * down[1]];
}

/** The place in the region, [across, down] in [-1, 1], of a position in the image. */
export function placeOf({ x, y, down, across }, column, row) {
  const [dx, dy] = [column - x, row - y];
  const area = across[0] * down[1] - across[1] * down[0];
  return [(dx * down[1] - dy * down[0]) / area, (dy * across[0] - dx * across[1]) / area];
}

/** The upright region of a part of an image. */
export function regionOfSpan({ left, top, right, bottom }) {
  const [width, height] = [(right - left) / 2, (bottom - top) / 2];
  return { x: left + width - 0.5, y: top + height - 0.5, down: [0, height], across: [width, 0] };
}

/** The part of an image that holds the region: {left, top, right, bottom}, the last two outside. */
export function spanOf({ x, y, down, across }, width, height) {
  const axis = (length, middle, ...halves) => {
    const reach = halves.reduce((sum, half) => sum + Math.abs(half), 0);
    return [
      Math.min(length, Math.max(0, Math.ceil(middle - reach))),
      Math.max(0, Math.min(length, Math.floor(middle + reach) + 1)),
    ];
  };
  const [left, right] = axis(width, x, down[0], across[0]);
  const [top, bottom] = axis(height, y, down[1], across[1]);
  return { left, top, right: Math.max(left, right), bottom: Math.max(top, bottom) };
}
