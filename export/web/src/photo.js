// The worker that holds the photograph's pixels: reduces, crops, enlarges and pastes them.

import { answer, Moved } from './answering.js';
import { INPUT } from './detector.js';
import { Mosaic } from './mosaic.js';
import { cropFace, imageOf, pasteFace } from './paste.js';
import { toFloats } from './pixels.js';
import { resized, sizeOf, spanOf } from './region.js';
import { resize, resizeRows } from './resize.js';

// Output pixels computed before the next report.
const BAND = 2 ** 19;

let photograph;
let levels; // the photograph at the sizes that are searched, the largest first
let output;
let mosaic; // of the face that is being restored
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

/** Crop a face upright, at its own resolution or the model's: the tiles that the model restores. */
function face({ region, lr, sr }) {
  const size = Math.max(lr, ...sizeOf(region));
  mosaic = new Mosaic(cropFace(photograph, region, size), lr, sr);
  return mosaic.tiles;
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

/** Paste the restored face into the output, `region` being in its pixels. */
function paste(region) {
  const span = spanOf(region, output.width, output.height);
  if (span.left < span.right && span.top < span.bottom) patches.push(cut(span));
  pasteFace(output, mosaic.image(), region);
  mosaic = null;
}

function cut({ left, top, right, bottom }) {
  const [width, height] = [right - left, bottom - top];
  const image = new ImageData(width, height);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * output.width + left) * 4;
    image.data.set(output.data.subarray(from, from + width * 4), row * width * 4);
  }
  return { left, top, image };
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
      bitmap: await createImageBitmap(image),
    })),
  );
  return new Moved({ after, before }, [after, ...before.map(({ bitmap }) => bitmap)]);
}

answer({ open, reduce, tile, closer, enlarge, face, faceTile, addTile, paste, finish });
