import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { first, fit, move, stretch, zoom } from '../src/square.js';
import { sides } from '../tflite.mjs';
import { path } from './setup.mjs';

test('the first square is the whole of a square image, and lies inside others', () => {
  assert.deepEqual(first(46, 46), { x: 0, y: 0, side: 46 });
  assert.deepEqual(first(100, 200), { x: 15, y: 43, side: 70 });
  assert.deepEqual(first(9, 5), { x: 2, y: 0, side: 5 });
});

test('a square stays inside the image', () => {
  const square = { x: 10, y: 10, side: 50 };
  assert.deepEqual(move(square, -99, 99, 100, 80), { x: 0, y: 30, side: 50 });
  assert.deepEqual(zoom(square, 999, 100, 80), { x: 0, y: 0, side: 80 });
  assert.deepEqual(zoom(square, -999, 100, 80).side, 16);
  assert.deepEqual(fit({ x: 0, y: 0, side: 3 }, 8, 9).side, 8);
});

test('a dragged corner leaves the opposite one where it is', () => {
  const square = { x: 20, y: 20, side: 40 };
  const pull = (name, dx, dy) => {
    const corner = { left: name.includes('left'), top: name.includes('top') };
    return stretch(square, corner, dx, dy, 100, 80);
  };
  assert.deepEqual(pull('bottom right', 10, 10), { x: 20, y: 20, side: 50 });
  assert.deepEqual(pull('top left', -10, -10), { x: 10, y: 10, side: 50 });
  assert.deepEqual(pull('top right', 99, -99), { x: 20, y: 0, side: 60 });
  assert.deepEqual(pull('bottom left', 99, -99), { x: 44, y: 20, side: 16 });
});

test('the sizes of a model are read, and other files are rejected', () => {
  const bytes = readFileSync(path('models/simple/bilinear.tflite'));
  assert.deepEqual(sides(bytes), { lr: 8, sr: 32 });
  assert.throws(() => sides(Buffer.from('no model at all')), /not a .tflite file/);
});
