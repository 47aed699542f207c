// Which faces of photographs the page finds, against tfsr.faces.find:
//
//     node test/recall.mjs PHOTOGRAPHS...

import { execFileSync } from 'node:child_process';
import { serve } from '../serve.mjs';
import { launch, phone, pick, PYTHON } from './setup.mjs';

const PROGRAM = `
import json, sys
from tfsr.faces import find
from tfsr.images import read
for path in sys.argv[1:]:
    faces = find(read(path))
    print(json.dumps([[*face.region.centre, *face.region.across, face.box[2]] for face in faces]))
`;

const files = process.argv.slice(2);
const lines = execFileSync(PYTHON, ['-c', PROGRAM, ...files], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
});
const expected = lines.trim().split('\n').map((line) => JSON.parse(line));

const server = await serve();
const browser = await launch();
const page = await (await phone(browser, {})).newPage();
await page.goto(server.url);
await page.waitForFunction(() => document.getElementById('status').textContent.startsWith('Ready'));
const counts = { 40: [0, 0, 0], 24: [0, 0, 0] };
const times = [];
for (const [i, file] of files.entries()) {
  const { faces, milliseconds } = await pick(page, file);
  times.push(milliseconds);
  const left = new Set(faces);
  for (const [y, x, rows, columns, height] of expected[i]) {
    // A face is the same one where the centres are within 0.3 of its side.
    const side = Math.max(2 * Math.hypot(rows, columns), height);
    const hit = faces.find(({ region }) => Math.hypot(region.y - y, region.x - x) < 0.3 * side);
    left.delete(hit);
    for (const least in counts) if (height >= least) counts[least][hit ? 0 : 1] += 1;
  }
  for (const { region } of left) {
    const height = 0.77 * 2 * Math.hypot(...region.across);
    for (const least in counts) if (height >= least) counts[least][2] += 1;
  }
  await page.locator('#photo .other').tap();
}
for (const [least, [found, missed, more]] of Object.entries(counts)) {
  console.log(`${least} pixels and more: ${found} found, ${missed} missed, ${more} more`);
}
times.sort((a, b) => a - b);
console.log(`${times[times.length >> 1]} ms in the median, ${times.at(-1)} ms at most`);
await browser.close();
await server.stop();
