// Crops of faces, turned upright, and their way back into the photograph, as tfsr.faces does it.
// Images are {data, width, height}, data being RGBA bytes.

import { placeOf, position, sizeOf, spanOf } from './region.js';
import { resize } from './resize.js';

// Share of the region's half side over which it is blended at each edge.
const FEATHER = 0.2;
// Half width and half height of the oval that is blended in, and how much wider the blend ends, in
// halves of the region's side.
export const OVAL = [0.7, 0.85];
const FADE = 1.3;

export function imageOf(width, height) {
  return { data: new Uint8ClampedArray(width * height * 4).fill(255), width, height };
}

/**
 * Crop a region, turned upright, to `size` by `size`. Beyond the image, its edges are repeated. A
 * reduction is antialiased: each pixel is the mean of several that are interpolated.
 */
export function cropFace(image, region, size) {
  const [across, down] = sizeOf(region).map((length) => Math.ceil(length / size));
  const crop = imageOf(size, size);
  const colour = [0, 0, 0];
  const sum = [0, 0, 0];
  for (let row = 0, to = 0; row < size; row++) {
    for (let column = 0; column < size; column++, to += 4) {
      sum.fill(0);
      for (let i = 0; i < down; i++) {
        for (let j = 0; j < across; j++) {
          const u = (2 * (column * across + j) + 1) / (size * across) - 1;
          const v = (2 * (row * down + i) + 1) / (size * down) - 1;
          interpolate(image, position(region, [u, v]), colour);
          for (let channel = 0; channel < 3; channel++) sum[channel] += colour[channel];
        }
      }
      for (let channel = 0; channel < 3; channel++) {
        crop.data[to + channel] = sum[channel] / (across * down);
      }
    }
  }
  return crop;
}

/**
 * Paste a face into an image, blended along an oval.
 *
 * @param region of `face`, in pixels of the target.
 * @param oval region of the face whose oval is blended; it may be rotated.
 */
export function pasteFace(target, face, region, oval = region) {
  const [width, height] = sizeOf(region);
  // Antialiased: fewer pixels than the face has are averages of it.
  const source =
    width < face.width || height < face.height
      ? { data: resize(face.data, face.width, face.height, width, height), width, height }
      : face;
  const { left, top, right, bottom } = spanOf(region, target.width, target.height);
  const colour = [0, 0, 0];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const opacity = opacityAt(...placeOf(oval, column, row));
      if (opacity === 0) continue;
      const [u, v] = placeOf(region, column, row);
      const place = [((u + 1) * source.width) / 2 - 0.5, ((v + 1) * source.height) / 2 - 0.5];
      interpolate(source, place, colour);
      const to = (row * target.width + column) * 4;
      for (let i = 0; i < 3; i++) {
        const level = target.data[to + i];
        target.data[to + i] = level + opacity * (colour[i] - level);
      }
    }
  }
}

function opacityAt(u, v) {
  const oval = smoothstep((FADE - Math.hypot(u / OVAL[0], v / OVAL[1])) / (FADE - 1));
  return oval * smoothstep((1 - Math.abs(u)) / FEATHER) * smoothstep((1 - Math.abs(v)) / FEATHER);
}

function smoothstep(value) {
  const x = Math.min(Math.max(value, 0), 1);
  return x * x * (3 - 2 * x);
}

/** Bicubic (a = -0.5) weights of the four neighbours at a fraction between the middle two. */
function cubicWeights(t) {
  return [
    ((-0.5 * t + 1) * t - 0.5) * t,
    (1.5 * t - 2.5) * t * t + 1,
    ((-1.5 * t + 2) * t + 0.5) * t,
    (0.5 * t - 0.5) * t * t,
  ];
}

/** Interpolate bicubically at any position; edges are repeated. Levels go to `colour`. */
function interpolate({ data, width, height }, [x, y], colour) {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const across = cubicWeights(x - column);
  const down = cubicWeights(y - row);
  colour.fill(0);
  for (let i = 0; i < 4; i++) {
    const line = Math.min(Math.max(row + i - 1, 0), height - 1) * width;
    for (let j = 0; j < 4; j++) {
      const from = (line + Math.min(Math.max(column + j - 1, 0), width - 1)) * 4;
      const weight = down[i] * across[j];
      colour[0] += weight * data[from];
      colour[1] += weight * data[from + 1];
      colour[2] += weight * data[from + 2];
    }
  }
}
