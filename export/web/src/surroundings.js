// The pixels around a face that the model sees: whole ones, neither rotated nor resized, since
// interpolation would cost more detail than the model gains from an upright face.

import { spanOf } from './region.js';

// Pixels by which they may grow at each side to meet an edge of output pixels.
const SLACK = 8;

/**
 * The part of an image around a region: {left, top, right, bottom}, the last two outside.
 *
 * Its edges lie on edges of output pixels where there are some near, as in tfsr.faces. It has at
 * least `least` pixels each way where the image has.
 *
 * @param size, output [width, height] of the image and of the output.
 */
export function surroundings(region, size, output, least) {
  const { left, top, right, bottom } = spanOf(region, ...size);
  const [columns, rows] = [
    [left, right],
    [top, bottom],
  ].map(([start, stop], axis) =>
    onOutputEdges(wide(start, stop, size[axis], least), size[axis], output[axis]),
  );
  return { left: columns[0], top: rows[0], right: columns[1], bottom: rows[1] };
}

function wide(start, stop, length, least) {
  const side = Math.min(length, Math.max(stop - start, least));
  const first = Math.floor((start + stop - side) / 2);
  const from = Math.min(Math.max(0, first), length - side);
  return [from, from + side];
}

function onOutputEdges([start, stop], length, output) {
  const misses = (edge) => {
    const position = (edge * output) / length;
    return Math.round(Math.abs(position - Math.round(position)) * 1e6);
  };
  let [first, last] = [start, stop];
  for (let i = 1; i <= SLACK; i++) {
    if (start - i >= 0 && misses(start - i) < misses(first)) first = start - i;
    if (stop + i <= length && misses(stop + i) < misses(last)) last = stop + i;
  }
  return [first, last];
}
