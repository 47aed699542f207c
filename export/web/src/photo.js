// The worker that holds the photograph's pixels: reduces, crops, enlarges and pastes them.

import { answer, Moved } from './answering.js';
import { INPUT } from './detector.js';
import { Mosaic } from './mosaic.js';
import { cropFace, imageOf, pasteFace } from './paste.js';
import { toFloats } from './pixels.js';
import { regionOfSpan, resized, sizeOf, spanOf } from './region.js';
import { resize, resizeRows } from './resize.js';
import { surroundings } from './surroundings.js';

// Output pixels computed before the next report.
const BAND = 2 ** 19;

let photograph;
let levels; // the photograph at the sizes that are searched, the largest first
let output;
let around; // the part of the photograph that is being restored, and its tiles
let mosaic;
let patches; // what the faces in the output have replaced

/** Take a bitmap's pixels, black where it is transparent. */
function open(bitmap) {
  photograph = pixelsOf(bitmap);
  levels = [photograph];
  bitmap.close();
}

function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { alpha: false });
  context.drawImage(bitmap, 0, 0);
  return { data: context.getImageData(0, 0, width, height).data, width, height };
}

/** Search the photograph at another size, which is smaller than the last one. */
function reduce({ width, height }) {
  const last = levels.at(-1);
  levels.push({ data: resize(last.data, last.width, last.height, width, height), width, height });
}

/** A tile of the reduced photograph for the detector, black beyond the image. */
function tile([left, top]) {
  const level = levels.at(-1);
  const pixels = new Uint8ClampedArray(INPUT * INPUT * 4);
  const [first, last] = [Math.max(left, 0), Math.min(left + INPUT, level.width)];
  for (let row = 0; row < INPUT; row++) {
    const y = top + row;
    if (y < 0 || y >= level.height) continue;
    const line = level.data.subarray((y * level.width + first) * 4, (y * level.width + last) * 4);
    pixels.set(line, (row * INPUT + first - left) * 4);
  }
  return detectorInput(pixels);
}

function detectorInput(pixels) {
  const floats = toFloats(pixels).map((value) => 2 * value - 1);
  return new Moved(floats, [floats.buffer]);
}

/** A part of the photograph for the detector, from the smallest size that shows it sharp. */
function closer(region) {
  const factors = ({ width, height }) => [width / photograph.width, height / photograph.height];
  const [side] = sizeOf(region);
  const level = levels.findLast((one) => side * factors(one)[0] >= INPUT) ?? photograph;
  return detectorInput(cropFace(level, resized(region, factors(level)), INPUT).data);
}

/** Cut out the pixels around a face: the tiles that the model restores. */
function face({ region, lr, sr }) {
  const { width, height } = photograph;
  const size = [width, height];
  around = surroundings(region, size, [output.width, output.height], lr);
  mosaic = new Mosaic(padded(cut(photograph, around), lr), lr, sr);
  return mosaic.tiles;
}

/** Repeat the last row and column of an image that is smaller than a tile. */
function padded({ data, width, height }, least) {
  const image = imageOf(Math.max(width, least), Math.max(height, least));
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const from = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 4;
      image.data.set(data.subarray(from, from + 4), (y * image.width + x) * 4);
    }
  }
  return image;
}

function faceTile(place) {
  const floats = mosaic.input(place);
  return new Moved(floats, [floats.buffer]);
}

function addTile({ place, sr }) {
  mosaic.add(place, sr);
}

/** Enlarge the whole photograph by bicubic. */
function enlarge({ width, height }, report) {
  // Before memory for another one is taken.
  output = null;
  levels = [photograph];
  output = imageOf(width, height);
  patches = [];
  const rows = Math.max(1, Math.floor(BAND / width));
  for (let top = 0; top < height; top += rows) {
    const bottom = Math.min(top + rows, height);
    const { data } = photograph;
    const band = resizeRows(data, photograph.width, photograph.height, width, height, top, bottom);
    output.data.set(band, top * width * 4);
    report(bottom / height);
  }
}

/** Paste the restored face into the output. */
function paste(region) {
  const factors = [output.width / photograph.width, output.height / photograph.height];
  const oval = resized(region, factors);
  const span = spanOf(oval, output.width, output.height);
  if (span.left < span.right && span.top < span.bottom) {
    patches.push({ left: span.left, top: span.top, image: cut(output, span) });
  }
  // With what was repeated to fill a tile.
  const right = around.left + Math.max(around.right - around.left, mosaic.lr);
  const bottom = around.top + Math.max(around.bottom - around.top, mosaic.lr);
  const place = resized(regionOfSpan({ ...around, right, bottom }), factors);
  pasteFace(output, mosaic.image(), place, oval);
  mosaic = null;
}

function cut(image, { left, top, right, bottom }) {
  const part = imageOf(right - left, bottom - top);
  for (let row = 0; row < part.height; row++) {
    const from = ((top + row) * image.width + left) * 4;
    part.data.set(image.data.subarray(from, from + part.width * 4), row * part.width * 4);
  }
  return part;
}

/** The output, and the bicubic patches that make it the photograph without the faces. */
async function finish() {
  const { data, width, height } = output;
  output = null;
  const after = await createImageBitmap(new ImageData(data, width, height));
  const before = await Promise.all(
    patches.map(async ({ left, top, image }) => ({
      left,
      top,
      bitmap: await createImageBitmap(new ImageData(image.data, image.width, image.height)),
    })),
  );
  return new Moved({ after, before }, [after, ...before.map(({ bitmap }) => bitmap)]);
}

answer({ open, reduce, tile, closer, enlarge, face, faceTile, addTile, paste, finish });
