import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { decode, INPUT, merge } from '../src/detector.js';
import { cropFace, imageOf, pasteFace } from '../src/paste.js';
import { EYES_AND_MOUTH, fit, grown, position, resized, sizeOf } from '../src/region.js';
import { plan } from '../src/search.js';
import { admitted, enlarged, factors, MOST_PIXELS } from '../src/sizes.js';
import { largestDifference, needs, numbersOf, path, reference } from './setup.mjs';

before(needs);

const PHOTOGRAPH = path('photograph.jpg');

// As in tfsr/faces/region.py, [across, down].
const EYES_AND_CORNERS = [
  [-0.2525, -0.065],
  [0.2525, -0.065],
  [-0.251, 0.462],
  [0.251, 0.462],
];
const LANDMARKS = [
  [1020.4, 803.1],
  [1085.2, 791.6],
  [1061.5, 830.2],
  [1037.7, 868.9],
  [1094.1, 857.3],
];

const turned = (side, angle, x, y) => {
  const [ax, ay] = [Math.cos(angle), Math.sin(angle)].map((part) => (part * side) / 2);
  return { x, y, down: [-ay, ax], across: [ax, ay] };
};

function photograph() {
  return { data: reference('pixels', [PHOTOGRAPH]), width: 800, height: 533 };
}

test("a face's region is that of tfsr.faces", () => {
  const rows = LANDMARKS.map(([x, y]) => [y, x]);
  const expected = JSON.parse(reference('regions', [], JSON.stringify(rows)));
  const eyes = LANDMARKS.slice(0, 2);
  const used = [0, 1, 3, 4].map((i) => LANDMARKS[i]);
  const found = [
    fit(used, EYES_AND_CORNERS, [1, 1, 0.25, 0.25]),
    fit(eyes, EYES_AND_MOUTH.slice(0, 2), [1, 1]),
  ];
  found.forEach((region, i) => {
    const difference = largestDifference(numbersOf(region), expected[i]);
    assert.ok(difference < 1e-9, `differs by ${difference}`);
  });
});

test('a region is fitted to the eyes and the mouth, and scales with the image', () => {
  const region = turned(90, 0.3, 200, 150);
  const points = EYES_AND_MOUTH.map((place) => position(region, place));
  assert.ok(largestDifference(numbersOf(fit(points)), numbersOf(region)) < 1e-9);
  assert.deepEqual(sizeOf(resized(region, [2, 2])), [180, 180]);
  assert.deepEqual(sizeOf(grown(region, 2)), [180, 180]);
  assert.equal(resized(region, [2, 2]).x, 400.5);
});

/** Compare RGBA images with those that Python made of them, one after the other in `expected`. */
function assertAlike(images, expected) {
  let start = 0;
  for (const { data } of images) {
    const difference = largestDifference(data, expected.subarray(start, start + data.length));
    assert.ok(difference <= 1, `differs by ${difference} levels`);
    start += data.length;
  }
  assert.equal(start, expected.length);
}

test('faces smaller and larger than the model are cropped as by tfsr.faces', () => {
  const regions = [
    turned(40.4, 0.2, 264, 144),
    turned(64, 0, 560, 95),
    turned(83.7, -0.4, 385, 110),
    turned(210.2, 0.1, 20, 510),
  ];
  const image = photograph();
  const crops = regions.map((region) => cropFace(image, region, 64));
  const numbers = regions.flatMap(numbersOf);
  assertAlike(crops, reference('upright', [PHOTOGRAPH, 64, ...numbers]));
});

test('faces are pasted as by tfsr.faces, smaller, larger and beyond the edge', () => {
  const regions = [
    turned(100.6, -0.3, 120, 90),
    turned(256, 0, 140, 100),
    turned(390.3, 0.2, 20, 170),
  ];
  const face = cropFace(photograph(), turned(90, 0, 385, 110), 256);
  const targets = regions.map((region) => {
    const target = imageOf(300, 200);
    target.data.forEach((_, i) => (target.data[i] = i % 4 === 3 ? 255 : 128));
    pasteFace(target, face, region);
    return target;
  });
  const numbers = regions.flatMap(numbersOf);
  assertAlike(targets, reference('pasted', [300, 200, 256, ...numbers], face.data));
});

test("the detector's numbers are decoded, and duplicates merged", () => {
  const numbers = new Float32Array(48 * 48 * 16);
  const scores = new Float32Array(48 * 48).fill(-9);
  // Two neighbouring cells see the same face, another one sees another face.
  for (const [row, column, score] of [
    [10, 20, 3],
    [10, 21, 1],
    [40, 5, 2],
  ]) {
    const cell = row * 48 + column;
    scores[cell] = score;
    numbers.set([0, 0, 48, 48, -10, -8, 10, -8, 0, 0, 0, 12], cell * 16);
  }
  const faces = merge(decode(numbers, scores, 0.6));
  assert.equal(faces.length, 2);
  const [first, second] = faces.map(({ box }) => box.map((value) => value * INPUT));
  assert.ok(first[0] + 24 > 82 && first[0] + 24 < 86, 'between the two, nearer to the surer one');
  assert.ok(largestDifference(second, [22 - 24, 162 - 24, 48, 48]) < 1e-4);
  const [eye] = faces[1].points;
  assert.ok(largestDifference(eye, [12 / INPUT, 154 / INPUT]) < 1e-6);
});

test('the search covers the photograph at all sizes, with a bounded number of tiles', () => {
  for (const [width, height] of [
    [64, 64],
    [800, 533],
    [4000, 3000],
    [300, 9000],
    [4096, 4096],
  ]) {
    const levels = plan(width, height);
    const tiles = levels.flatMap((level) => level.tiles);
    assert.ok(tiles.length < 300, `${tiles.length} tiles`);
    for (const level of levels) {
      for (const axis of [0, 1]) {
        const length = axis ? level.height : level.width;
        const starts = [...new Set(level.tiles.map((tile) => tile[axis]))].sort((a, b) => a - b);
        assert.ok(starts[0] <= 0 && starts.at(-1) + INPUT >= length);
        for (let i = 1; i < starts.length; i++) assert.ok(starts[i] - starts[i - 1] < INPUT);
      }
    }
  }
});

test('outputs stay within what phones allow', () => {
  assert.deepEqual(factors(800, 600), [2, 3, 4]);
  assert.deepEqual(factors(1440, 1080), [1.5, 2, 3]);
  assert.deepEqual(factors(4000, 3000), [1]);
  assert.deepEqual(enlarged(801, 533, 1.5), [1202, 800]);
  assert.deepEqual(admitted(800, 600), [800, 600]);
  for (const size of [
    [8160, 6144],
    [20000, 1000],
  ]) {
    const [width, height] = admitted(...size);
    assert.ok(width * height <= MOST_PIXELS && width * height > 0.99 * MOST_PIXELS);
    assert.ok(Math.abs(width / height / (size[0] / size[1]) - 1) < 0.01);
    assert.deepEqual(factors(width, height), [1]);
  }
});
