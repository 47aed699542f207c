// Where faces of all sizes are searched: the photograph at several sizes, in overlapping tiles of
// what the detector sees.

import { INPUT } from './detector.js';

/** Height in pixels of the smallest faces that are searched. */
export const MIN_FACE = 24;

// The detector finds faces from a tenth to six tenths of its input.
const SMALLEST = 0.1;
// Between the sizes of the photograph that are searched.
const STEP = 2;
// Of neighbouring tiles, as a part of one: more than a face that the next size may miss.
const OVERLAP = 0.25;
// In a large photograph the smallest faces are left out, so that some 200 tiles are enough: the
// photograph's mean side over the height of the smallest face.
const FINEST = 70;

/**
 * The sizes of the photograph that are searched, the largest first, each with its tiles:
 * {width, height, tiles: [[left, top], ...]}. Beyond the image, tiles are black.
 */
export function plan(width, height) {
  const longest = Math.max(width, height);
  const minFace = Math.max(MIN_FACE, Math.sqrt(width * height) / FINEST);
  // Sides of the tiles in pixels of the photograph. A face may fill the photograph: the first tile
  // is twice as large.
  const sides = [2 * longest];
  while (sides[0] * SMALLEST > minFace) {
    sides.unshift(Math.max(minFace / SMALLEST, sides[0] / STEP));
  }
  return sides.map((side) => {
    const reduced = (length) => Math.max(1, Math.round((length * INPUT) / side));
    const [w, h] = [reduced(width), reduced(height)];
    const tiles = starts(h).flatMap((top) => starts(w).map((left) => [left, top]));
    return { width: w, height: h, tiles };
  });
}

function starts(length) {
  if (length <= INPUT) return [-Math.floor((INPUT - length) / 2)];
  const count = Math.ceil((length - OVERLAP * INPUT) / (INPUT * (1 - OVERLAP)));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - INPUT)) / (count - 1)));
}
