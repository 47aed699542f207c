import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { serve } from '../serve.mjs';
import { resized, spanOf } from '../src/region.js';
import {
  boxOf,
  detailOf,
  idle,
  largestDifference,
  launch,
  needs,
  numbersOf,
  OUT,
  path,
  phone,
  pick,
  reference,
  settled,
} from './setup.mjs';

const PHOTOGRAPH = path('photograph.jpg');
const [WIDTH, HEIGHT] = [800, 533];

before(needs);

const png = (name, buffer) => ({ name: `${name}.png`, mimeType: 'image/png', buffer });

describe('a photograph', () => {
  let server;
  let browser;
  let page;
  let photograph;
  const errors = [];

  before(async () => {
    photograph = png('team', reference('png', [PHOTOGRAPH]));
    server = await serve();
    browser = await launch();
    page = await (await phone(browser)).newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(server.url);
    await settled(page);
  });

  beforeEach(async () => {
    for (const other of await page.locator('.other').all()) {
      if (await other.isVisible()) await other.tap();
    }
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const found = () => page.textContent('#found');
  const faces = () => page.locator('.face').all();
  const factor = (value) => page.locator('#factors label', { hasText: `×${value}` }).tap();

  async function restore() {
    const { size } = await detailOf(page, 'restored', () => page.tap('#restore'));
    return size;
  }

  /** What the page saves: RGBA. */
  async function saved() {
    const [download] = await Promise.all([page.waitForEvent('download'), page.tap('#save')]);
    const file = `${OUT}${download.suggestedFilename()}`;
    await download.saveAs(file);
    return { file, pixels: reference('pixels', [file]) };
  }

  test('its faces are those that tfsr.faces finds', async () => {
    const detail = await pick(page, photograph);
    assert.equal(await found(), `${detail.faces.length} faces found. Tap one to leave it out.`);
    const expected = JSON.parse(reference('faces', [PHOTOGRAPH, 80]));
    assert.equal(expected.length, 5);
    assert.ok(detail.faces.length <= 7);
    for (const [y, x, ...ways] of expected) {
      const side = 2 * Math.hypot(ways[2], ways[3]);
      const near = detail.faces.filter(
        ({ region }) => Math.hypot(region.x - x, region.y - y) < 0.1 * side,
      );
      assert.equal(near.length, 1, `one face at ${x},${y}`);
      const across = Math.hypot(...near[0].region.across) * 2;
      assert.ok(Math.abs(Math.log(across / side)) < 0.15, `${across} pixels, not ${side}`);
    }
    console.log(`${detail.faces.length} faces in ${Math.round(detail.milliseconds)} ms`);
    await page.screenshot({ path: `${OUT}6-photo.png` });
  });

  test('faces are restored as in Python, one is left out, all else is bicubic', async () => {
    const detail = await pick(page, photograph);
    const count = detail.faces.length;
    const [first] = await faces();
    await first.tap();
    assert.equal(await first.getAttribute('aria-label'), 'Face 1, left out');
    assert.equal(await page.textContent('#restore'), `Restore ${count - 1} faces, ×2`);
    const size = await restore();
    assert.deepEqual(size, [2 * WIDTH, 2 * HEIGHT]);
    assert.match(
      await page.textContent('#facts'),
      /^800×533 to 1600×1066 pixels, \d faces restored, in [\d.]+ s\. WebAssembly, .*\.$/,
    );
    await page.screenshot({ path: `${OUT}7-restored.png` });
    const { file, pixels } = await saved();
    assert.ok(file.endsWith('/team-1600x1066.png'));

    const regions = detail.faces.map(({ region }) => region);
    const rgba = reference('pixels', [PHOTOGRAPH]);
    const bicubic = reference('resize', [WIDTH, HEIGHT, ...size], rgba);
    const [{ file: model }] = JSON.parse(readFileSync(path('../dist/models/models.json')));
    const restored = reference(
      'restored',
      [PHOTOGRAPH, model.split('-64x64')[0], ...size],
      JSON.stringify(regions.slice(1).map(numbersOf)),
    );
    // Python restores a face as a whole, the page in tiles.
    const difference = largestDifference(pixels, restored);
    const sum = pixels.reduce((total, level, i) => total + Math.abs(level - restored[i]), 0);
    const mean = sum / pixels.length;
    console.log(`differs from Python by at most ${difference} levels, in the mean by ${mean}`);
    assert.ok(difference <= 6 && mean <= 0.02);
    const inside = insides(regions.slice(1), size);
    assert.equal(differs(pixels, bicubic, (i) => !inside[i]), 0, 'outside: bicubic, bit for bit');
    assert.ok(differs(pixels, bicubic, (i) => inside[i]) > 10_000, 'inside: another image');

    await page.focus('#divider');
    await page.keyboard.press('End');
    const url = await page.evaluate(() =>
      document.querySelector('#compare-stage canvas').toDataURL('image/png'),
    );
    writeFileSync(`${OUT}before.png`, Buffer.from(url.split(',')[1], 'base64'));
    const before = reference('pixels', [`${OUT}before.png`]);
    assert.equal(largestDifference(before, bicubic), 0, 'before: bicubic, bit for bit');

    const views = page.locator('#views button');
    assert.equal(await views.first().getAttribute('aria-pressed'), 'true');
    await views.nth(1).tap();
    assert.equal(await views.nth(1).getAttribute('aria-pressed'), 'true');
    await page.screenshot({ path: `${OUT}8-face.png` });
    await page.tap('#again');
    assert.equal(await page.isVisible('#photo'), true);
    assert.equal(await page.textContent('#restore'), `Restore ${count - 1} faces, ×2`);
  });

  test('a face that was missed is added by hand', async () => {
    await pick(page, photograph);
    const count = (await faces()).length;
    await page.tap('#by-hand');
    await page.tap('#add');
    assert.equal((await faces()).length, count + 1);
    assert.equal(await page.textContent('#restore'), `Restore ${count + 1} faces, ×2`);
  });

  test('keys choose faces and the factor', async () => {
    await pick(page, photograph);
    const [first] = await faces();
    await first.focus();
    await page.keyboard.press('Space');
    assert.equal(await first.getAttribute('aria-pressed'), 'false');
    await page.keyboard.press('Space');
    assert.equal(await first.getAttribute('aria-label'), 'Face 1, restored');
    await page.focus('#factors input:checked');
    await page.keyboard.press('ArrowRight');
    assert.match(await page.textContent('#restore'), /, ×3$/);
  });

  test('without faces, bicubic remains', async () => {
    const sky = reference('made', ['sky']);
    writeFileSync(`${OUT}sky.png`, sky);
    await pick(page, png('sky', sky));
    assert.equal(
      await found(),
      'No faces found. Crop one by hand, or enlarge by bicubic alone.',
    );
    await factor(4);
    assert.equal(await page.textContent('#restore'), 'Enlarge by bicubic, ×4');
    const size = await restore();
    const { pixels } = await saved();
    const rgba = reference('pixels', [`${OUT}sky.png`]);
    assert.deepEqual(pixels, reference('resize', [400, 300, ...size], rgba));
  });

  test('a face of more pixels than the model gives is left alone', async () => {
    await pick(page, png('close', reference('made', ['close'])));
    assert.equal(await found(), '1 face found, already sharp enough.');
    const [face] = await faces();
    assert.equal(await face.isDisabled(), true);
    assert.equal(await face.getAttribute('aria-label'), 'Face 1, already sharp enough');
    assert.match(await page.textContent('#restore'), /^Enlarge by bicubic/);
  });

  test('a huge photograph is reduced, and the page stays responsive', async () => {
    await page.evaluate(() => {
      window.longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) {
          window.longest = Math.max(window.longest, duration);
        }
      }).observe({ type: 'longtask' });
    });
    await pick(page, png('huge', reference('made', ['huge'])));
    assert.match(await page.textContent('#size'), /^6000×4000 pixels, reduced to 5016×3344: /);
    assert.deepEqual(await page.locator('#factors label').allTextContents(), ['×1']);
    assert.deepEqual(await restore(), [5016, 3344]);
    const longest = await page.evaluate(() => window.longest);
    console.log(`longest task of the page ${Math.round(longest)} ms`);
    assert.ok(longest < 1500);
  });

  test('work is cancelled by its button, and by another photograph', async () => {
    await page.setInputFiles('#choose', png('huge', reference('made', ['huge'])));
    await page.waitForFunction(() => document.getElementById('progress').value > 0);
    await page.tap('#cancel');
    await idle(page);
    assert.equal(await page.isVisible('#message'), false);
    assert.equal((await faces()).length, 0);
    await page.tap('#photo .other');

    await pick(page, photograph);
    await factor(4);
    await page.tap('#restore');
    await page.waitForFunction(() => document.getElementById('progress').value > 0.3);
    await page.screenshot({ path: `${OUT}9-working.png` });
    await page.tap('#photo .other');
    const detail = await pick(page, photograph);
    assert.ok(detail.faces.length >= 5, 'of the second photograph');
    assert.match(await page.textContent('#size'), /^800×533/);
    assert.equal(await page.isVisible('#result'), false);
    assert.equal(await page.isVisible('#message'), false);
  });

  test('on a desktop the controls are beside the photograph', async () => {
    const desktop = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await desktop.goto(server.url);
    await settled(desktop);
    await pick(desktop, photograph);
    const stage = await boxOf(desktop, '#photo-stage');
    const button = await boxOf(desktop, '#restore');
    assert.ok(stage.right < button.x && stage.bottom < 800);
    await desktop.screenshot({ path: `${OUT}10-desktop.png` });
    await desktop.click('#restore');
    await desktop.waitForSelector('#result:not([hidden])');
    await desktop.screenshot({ path: `${OUT}11-desktop-result.png` });
    await desktop.close();
    assert.deepEqual(errors, []);
  });
});

/** Whether each pixel of an image lies where one of the faces is pasted. */
function insides(regions, [width, height]) {
  const inside = new Uint8Array(width * height);
  for (const region of regions) {
    const place = resized(region, [width / WIDTH, height / HEIGHT]);
    const { left, top, right, bottom } = spanOf(place, width, height);
    for (let y = top; y < bottom; y++) inside.fill(1, y * width + left, y * width + right);
  }
  return inside;
}

/** How many of the pixels that are asked for differ. */
function differs(first, second, asked) {
  let count = 0;
  for (let i = 0; i < first.length / 4; i++) {
    if (!asked(i)) continue;
    const at = 4 * i;
    if ([0, 1, 2].some((channel) => first[at + channel] !== second[at + channel])) count++;
  }
  return count;
}
