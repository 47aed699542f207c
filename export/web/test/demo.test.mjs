// `tfsr demo`, the real process, in a real browser.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  boxOf,
  canvasPixels,
  drag,
  largestDifference,
  launch,
  needs,
  OUT,
  path,
  phone,
  PYTHON,
  reference,
} from './setup.mjs';

const FACE = path('../../../docs/images/astronaut-46.png');
const SIDE = 46;
const CANVAS = '#stage canvas';

before(needs);

/** The demo's process, and its page's address once it listens. */
async function start() {
  const command = join(dirname(PYTHON), 'tfsr');
  const demo = spawn(command, ['demo', '--port', '0', '--no-browser'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await Promise.race([once(demo.stdout, 'data'), once(demo, 'exit')]);
  const [address] = String(line).match(/^http:\S+/) ?? assert.fail(`tfsr demo printed ${line}`);
  return { demo, address };
}

/** Wait until all visible tiles of a size are shown. */
async function rendered(page, side) {
  await page.waitForSelector(`#stage[data-rendered="${side}x${side}"]`, { timeout: 120_000 });
}

/** Wait for a text under the image. */
async function waitForFacts(page, words) {
  const say = (pattern) => new RegExp(pattern).test(document.getElementById('facts').textContent);
  await page.waitForFunction(say, words.source);
}

/** Wait until all visible tiles are shown; returns the side of a square output. */
async function settled(page) {
  const frame = () => page.evaluate(() => new Promise((seen) => requestAnimationFrame(seen)));
  await frame();
  await frame();
  await page.waitForSelector('#stage[data-rendered*=x]', { timeout: 120_000 });
  return Number((await page.getAttribute('#stage', 'data-rendered')).split('x')[0]);
}

/** Two fingers that part around the middle of an element, in CSS pixels. */
async function pinch(page, selector, from, to) {
  const { x, y, width, height } = await boxOf(page, selector);
  const session = await page.context().newCDPSession(page);
  const fingers = (apart) =>
    [-0.5, 0.5].map((side, id) => ({ x: x + width / 2, y: y + height / 2 + side * apart, id }));
  const send = (type, touchPoints) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await send('touchStart', fingers(from));
  for (let step = 1; step <= 4; step++) {
    await send('touchMove', fingers(from + ((to - from) * step) / 4));
  }
  await send('touchEnd', []);
  await session.detach();
}

/** Where the output's first pixel lies, when the image's middle is in the canvas's. */
async function origin(page, side) {
  const { width, height } = await page.evaluate((which) => {
    const canvas = document.querySelector(which);
    return { width: canvas.width, height: canvas.height };
  }, CANVAS);
  const [x, y] = [width, height].map((length) => Math.round(length / 2 - side / 2));
  return { x, y, width, height };
}

/** The largest difference between the canvas and Python's tile of a centred output. */
async function differenceFromPython(page, side, render) {
  const { x, y, width, height } = await origin(page, side);
  const [left, top] = [Math.max(0, -x), Math.max(0, -y)];
  const columns = Math.min(side - left, width - Math.max(0, x));
  const rows = Math.min(side - top, height - Math.max(0, y));
  const seen = await canvasPixels(page, CANVAS);
  const part = [];
  for (let row = 0; row < rows; row++) {
    const first = 4 * ((row + Math.max(0, y)) * width + Math.max(0, x));
    part.push(...seen.slice(first, first + 4 * columns));
  }
  return largestDifference(part, render(left, top, columns, rows));
}

/** A function that renders a tile of a square output in Python. */
const by = (method, side) => (...place) => reference('tile', [method, FACE, side, side, ...place]);

describe('the demo', () => {
  let server;
  let browser;
  let page;
  const requests = [];
  const errors = [];

  before(async () => {
    server = await start();
    // No other place can be reached, and what is asked of one is recorded below.
    browser = await launch(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']);
    const options = { viewport: { width: 640, height: 560 }, acceptDownloads: true };
    const context = await browser.newContext(options);
    context.on('request', (request) => requests.push(request));
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(server.address);
    await page.waitForFunction(() => document.getElementById('controls').inert);
  });

  after(async () => {
    await browser?.close();
    server?.demo.kill('SIGKILL');
  });

  test('a file that is no image gives one line', async () => {
    assert.match(await page.textContent('#about'), /^arasfsr-compact-faces-v1\./);
    const file = { name: 'notes.txt', mimeType: 'image/png', buffer: Buffer.from('no image') };
    await page.setInputFiles('#choose', file);
    await page.waitForSelector('#message:not([hidden])');
    assert.match(await page.textContent('#message'), /^notes\.txt: not a PNG/);
    await page.screenshot({ path: `${OUT}demo-1-error.png` });
  });

  test('an image is shown whole, as Python renders it', async () => {
    await page.setInputFiles('#choose', FACE);
    const side = await settled(page);
    assert.equal(await page.isVisible('#message'), false);
    const { height } = await origin(page, side);
    assert.ok(side <= height && side > 0.9 * height, 'it fills the stage');
    await page.screenshot({ path: `${OUT}demo-2-face.png` });

    await page.focus('#divider');
    await page.keyboard.press('Home');
    await rendered(page, side);
    const ours = await differenceFromPython(page, side, by('tfsr', side));
    assert.ok(ours <= 1, `tfsr differs by ${ours}`);
    await page.keyboard.press('End');
    await settled(page);
    const theirs = await differenceFromPython(page, side, by('bicubic', side));
    assert.ok(theirs <= 1, `bicubic differs by ${theirs}`);
    assert.equal(await page.getAttribute('#divider', 'aria-valuetext'), '100% bicubic');
    await page.keyboard.press('Home');
  });

  test('zooms to any scale, and renders the visible tiles', async () => {
    const middle = Number(await page.inputValue('#zoom'));
    await page.locator('#zoom').fill(String(middle + 100));
    const larger = Number(await page.inputValue('#scale'));
    await rendered(page, Math.floor(SIDE * larger + 0.5));
    await page.fill('#scale', '28.31');
    const side = Math.floor(SIDE * 28.31 + 0.5);
    await rendered(page, side);
    const difference = await differenceFromPython(page, side, by('tfsr', side));
    assert.ok(difference <= 1, `differs by ${difference}`);
    await page.screenshot({ path: `${OUT}demo-3-zoom.png` });
    const sent = requests.filter((request) => request.method() === 'POST');
    assert.equal(sent.length, 2, 'the notes, and the image once');
  });

  test('the mouse, the wheel and the keys move and zoom', async () => {
    const box = await boxOf(page, CANVAS);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const before = await canvasPixels(page, CANVAS);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 30, y + 20, { steps: 3 });
    await page.mouse.up();
    await settled(page);
    const width = Math.round(box.width);
    const moved = await canvasPixels(page, CANVAS);
    const at = (column, row) => 4 * (row * width + column);
    assert.deepEqual(
      moved.slice(at(200, 150), at(260, 150)),
      before.slice(at(170, 130), at(230, 130)),
      'the image follows the mouse',
    );

    const scale = async () => Number((await page.textContent('#facts')).match(/×([\d.]+) it/)[1]);
    await page.mouse.wheel(0, -200);
    await waitForFacts(page, /×37\./);
    await page.focus(CANVAS);
    await page.keyboard.press('-');
    assert.ok((await scale()) < 31);
    await page.keyboard.press('0');
    assert.ok((await scale()) <= 12);
    await page.keyboard.press('+');
    await page.keyboard.press('ArrowLeft');
    await page.click('#fit');
  });

  test('saves the whole image at the scale', async () => {
    await page.fill('#scale', '3.7');
    assert.equal(await page.textContent('#save'), 'Save 170×170');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    assert.equal(download.suggestedFilename(), 'astronaut-46-170x170.png');
    await download.saveAs(`${OUT}demo-saved.png`);
    const saved = reference('pixels', [`${OUT}demo-saved.png`]);
    const difference = largestDifference(saved, by('tfsr', 170)(0, 0, 170, 170));
    assert.ok(difference <= 1, `differs by ${difference}`);
  });

  test('what cannot be saved is one line', async () => {
    const address = await page.evaluate(() => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 400;
      return canvas.toDataURL('image/png');
    });
    const buffer = Buffer.from(address.split(',')[1], 'base64');
    await page.setInputFiles('#choose', { name: 'large.png', mimeType: 'image/png', buffer });
    await waitForFacts(page, /^large/);
    await page.fill('#scale', '64');
    await page.click('#save');
    await page.waitForSelector('#message:not([hidden])');
    assert.match(await page.textContent('#message'), /megapixels; the limit is 400/);
    assert.match(await page.textContent('#save'), /^Save /);
  });

  test('an image that the server has dropped is sent again', async () => {
    await page.click('#sample');
    await waitForFacts(page, /^face/);
    await settled(page);
    const others = await page.evaluate(async () => {
      const image = await (await fetch('face.png')).blob();
      const statuses = [];
      for (let i = 0; i < 4; i++) {
        statuses.push((await fetch('images', { method: 'POST', body: image })).status);
      }
      return statuses;
    });
    assert.deepEqual(others, [201, 201, 201, 201]);
    await page.fill('#scale', '5.5');
    await rendered(page, 253);
    assert.equal(await page.isVisible('#message'), false);
  });

  test('fits a phone, and follows fingers', async () => {
    const context = await phone(browser, { colorScheme: 'dark' });
    const touched = await context.newPage();
    touched.on('pageerror', (error) => errors.push(error.message));
    await touched.goto(server.address);
    await touched.tap('#sample');
    const side = await settled(touched);
    const wide = await touched.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, 360);
    await touched.screenshot({ path: `${OUT}demo-4-phone.png` });

    const divider = await boxOf(touched, '#divider');
    const y = divider.y + divider.height / 2;
    await drag(touched, [divider.x + 22, y], [divider.x - 60, y]);
    const percent = Number(await touched.getAttribute('#divider', 'aria-valuenow'));
    assert.ok(Math.abs(percent - 25) <= 1, `the divider is at ${percent}`);
    await pinch(touched, CANVAS, 60, 120);
    assert.ok(Math.abs((await settled(touched)) - 2 * side) <= 2, 'twice as far, twice as large');
    await touched.screenshot({ path: `${OUT}demo-5-pinched.png` });
    await context.close();
  });

  test('asked nothing of any other place, threw nothing, and ends at Ctrl-C', async () => {
    const foreign = requests.map((request) => request.url()).filter((url) => {
      return !url.startsWith(server.address) && !url.startsWith(`blob:${server.address}`);
    });
    assert.deepEqual(foreign, []);
    assert.deepEqual(errors, []);
    server.demo.kill('SIGINT');
    assert.deepEqual(await once(server.demo, 'exit'), [130, null]);
  });
});
