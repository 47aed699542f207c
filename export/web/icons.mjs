// Draws the icons: a face, coarse on the left of a divider and smooth on the right.

import { deflateSync } from 'node:zlib';

const BACK = [22, 32, 43];
const SKIN = [255, 180, 84];
const DARK = [60, 36, 12];
const LINE = [255, 255, 255];

/** The colour of a point of the face's square, x and y in [-1, 1], or null outside the face. */
function face(x, y) {
  if (Math.hypot(x, y) > 0.98) return null;
  if (Math.hypot(Math.abs(x) - 0.36, y + 0.18) < 0.12) return DARK;
  const mouth = Math.hypot(x, y - 0.08);
  if (y > 0.26 && mouth > 0.4 && mouth < 0.53) return DARK;
  return SKIN;
}

function colour(x, y, { face: size, round }) {
  if (round) {
    const corner = Math.max(Math.abs(x) - 0.6, 0) ** 2 + Math.max(Math.abs(y) - 0.6, 0) ** 2;
    if (corner > 0.4 ** 2) return null;
  }
  let [u, v] = [x / size, y / size];
  if (Math.abs(u) < 0.04 && Math.abs(v) < 1.1) return LINE;
  if (u < 0) [u, v] = [u, v].map((place) => (Math.floor(place * 4.5) + 0.5) / 4.5);
  return face(u, v) ?? BACK;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc(body), body.length + 4);
  return chunk;
}

function crc(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

function png(rgba, size) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6], 8);
  const rows = Buffer.alloc(size * (size * 4 + 1));
  const row = size * 4;
  for (let y = 0; y < size; y++) rgba.copy(rows, y * (row + 1) + 1, y * row, (y + 1) * row);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG of `size` by `size` pixels, rendered with 16 samples to the pixel. */
export function icon(size, shape) {
  const grain = 4;
  const rgba = Buffer.alloc(size * size * 4);
  for (let pixel = 0; pixel < size * size; pixel++) {
    const sum = [0, 0, 0];
    let seen = 0;
    for (let sample = 0; sample < grain ** 2; sample++) {
      const x = (pixel % size) + ((sample % grain) + 0.5) / grain;
      const y = Math.floor(pixel / size) + (Math.floor(sample / grain) + 0.5) / grain;
      const point = colour((2 * x) / size - 1, (2 * y) / size - 1, shape);
      if (!point) continue;
      seen++;
      point.forEach((level, channel) => (sum[channel] += level));
    }
    const mean = sum.map((level) => level / Math.max(seen, 1));
    rgba.set([...mean, (255 * seen) / grain ** 2], pixel * 4);
  }
  return png(rgba, size);
}

export const ICONS = {
  '180.png': [180, { face: 0.68, round: false }],
  '192.png': [192, { face: 0.68, round: true }],
  '512.png': [512, { face: 0.68, round: true }],
  'maskable.png': [512, { face: 0.54, round: false }],
};
