// Image files in, crops and canvases out.

import { resizeHeight, resizeWidth } from './resize.js';
import { admitted } from './sizes.js';

// Canvases are limited (16 megapixels on an iPhone), so that a crop is read in bands of rows.
const BAND = 256;

/**
 * The image of a file, upright as its EXIF orientation says, and reduced to what phones allow.
 *
 * @returns {bitmap, original}: [width, height] of the file itself.
 */
export async function decode(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new Error(`${file.name} is not an image that this browser can read.`);
  }
  const original = [bitmap.width, bitmap.height];
  const [width, height] = admitted(...original);
  if (width === original[0]) return { bitmap, original };
  const reduced = await createImageBitmap(bitmap, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: 'high',
  });
  bitmap.close();
  return { bitmap: reduced, original };
}

export function canvasOf(width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** A canvas that holds these RGBA bytes. */
export function toCanvas(rgba, width, height) {
  const canvas = canvasOf(width, height);
  canvas.getContext('2d', { alpha: false }).putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

/** Cut a square {x, y, side} out of a bitmap and resize it by bicubic: RGBA, `size` by `size`. */
export function reduce(bitmap, { x, y, side }, size) {
  const rows = Math.min(BAND, side);
  const context = canvasOf(side, rows).getContext('2d', { alpha: false, willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  const narrow = new Uint8ClampedArray(size * side * 4);
  for (let top = 0; top < side; top += rows) {
    const height = Math.min(rows, side - top);
    context.fillRect(0, 0, side, rows); // black, where the image is transparent
    context.drawImage(bitmap, x, y + top, side, height, 0, 0, side, height);
    const band = context.getImageData(0, 0, side, height).data;
    narrow.set(resizeWidth(band, side, height, size), top * size * 4);
  }
  return resizeHeight(narrow, size, side, size);
}
