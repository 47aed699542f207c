import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { toBytes, toFloats } from '../src/pixels.js';
import { resize } from '../src/resize.js';
import { needs, reference } from './setup.mjs';

before(needs);

function noise(width, height) {
  let state = 1;
  return Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => {
    state = (state * 48271) % 2147483647;
    // Black and white too, where the kernel overshoots.
    return i % 4 === 3 ? 255 : Math.min(255, Math.max(0, (state % 400) - 70));
  });
}

for (const sizes of [
  [46, 46, 64, 64],
  [64, 64, 256, 256],
  [301, 301, 64, 64],
  [1000, 37, 64, 64],
  [64, 50, 64, 20],
  [1, 1, 3, 5],
  [17, 4, 1, 1],
]) {
  test(`bicubic ${sizes} is Pillow's, bit for bit`, () => {
    const [width, height] = sizes;
    const image = noise(width, height);
    assert.deepEqual(Buffer.from(resize(image, ...sizes)), reference('resize', sizes, image));
  });
}

test('8-bit levels survive the way to floats and back', () => {
  const levels = Uint8ClampedArray.from({ length: 1024 }, (_, i) => (i % 4 === 3 ? 255 : i >> 2));
  assert.deepEqual(toBytes(toFloats(levels)), levels);
});

test('floats are clipped and rounded half up', () => {
  const floats = Float32Array.of(-0.1, 1.1, 0.5, 0.4999 / 255, 0.5 / 255, 1);
  assert.deepEqual([...toBytes(floats)], [0, 255, 128, 255, 0, 1, 255, 255]);
});
