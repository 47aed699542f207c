// `tfsr demo`, the real process, in a real browser.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
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
} from './setup.mjs';

const SAMPLE = path('../../../tfsr/demo/page/sample.jpg');
const SAMPLE_SIZE = [360, 225];
const CROP = path('../../../docs/images/astronaut-46.png'); // An aligned crop.
const SIDE = 46;
const CANVAS = '#stage canvas';

before(needs);

/** The output of one of demo_reference.py's functions, as bytes. */
function python(name, ...args) {
  const command = [path('demo_reference.py'), name, ...args.map(String)];
  return execFileSync(PYTHON, command, { maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** The demo's process, and its page's address once it listens. */
async function start(...options) {
  const command = ['-m', 'tfsr', 'demo', '--port', '0', '--no-browser', ...options];
  const demo = spawn(PYTHON, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([once(demo.stdout, 'data'), once(demo, 'exit')]);
  const [address] = String(line).match(/^http:\S+/) ?? assert.fail(`tfsr demo printed ${line}`);
  return { demo, address };
}

/** Wait until all visible tiles of a size are shown. */
async function rendered(page, width, height) {
  const size = `${width}x${height}`;
  await page.waitForSelector(`#stage[data-rendered="${size}"]`, { timeout: 120_000 });
}

/** Wait until all visible tiles are shown; returns [width, height] of the output. */
async function settled(page) {
  const frame = () => page.evaluate(() => new Promise((seen) => requestAnimationFrame(seen)));
  await frame();
  await frame();
  await page.waitForSelector('#stage[data-rendered*=x]', { timeout: 120_000 });
  return (await page.getAttribute('#stage', 'data-rendered')).split('x').map(Number);
}

/** Wait until the page shows a file of this name, restored; returns the output's size. */
async function opened(page, name) {
  const say = (name) => document.getElementById('facts').textContent.startsWith(name);
  await page.waitForFunction(say, name);
  return settled(page);
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

/** The largest difference between the canvas and an output whose middle is in the canvas's. */
async function differenceFrom(page, output, [width, height]) {
  const canvas = await page.evaluate((which) => {
    const { width, height } = document.querySelector(which);
    return { width, height };
  }, CANVAS);
  const seen = await canvasPixels(page, CANVAS);
  const x = Math.round(canvas.width / 2 - width / 2);
  const y = Math.round(canvas.height / 2 - height / 2);
  let largest = 0;
  for (let row = Math.max(0, -y); row < Math.min(height, canvas.height - y); row++) {
    const [from, to] = [Math.max(0, -x), Math.min(width, canvas.width - x)];
    const ours = 4 * ((row + y) * canvas.width + x);
    const theirs = 4 * row * width;
    largest = Math.max(
      largest,
      largestDifference(
        seen.slice(ours + 4 * from, ours + 4 * to),
        output.subarray(theirs + 4 * from, theirs + 4 * to),
      ),
    );
  }
  return largest;
}

/** Show one side of the divider alone: 'Home' the restored one, 'End' the other. */
async function showSide(page, key) {
  await page.focus('#divider');
  await page.keyboard.press(key);
  await settled(page);
}

const scaleOf = async (page) => Number(await page.inputValue('#scale'));

/** The page at the address, whose errors are collected. */
async function visit(context, address, errors) {
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(address);
  return page;
}

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
    page = await visit(context, server.address, errors);
  });

  after(async () => {
    await browser?.close();
    server?.demo.kill('SIGKILL');
  });

  test('opens with a photograph that is restored already, as Python restores it', async () => {
    const size = await opened(page, 'sample.jpg');
    assert.match(await page.textContent('#preset'), /^faces\./);
    assert.equal(await page.textContent('#status'), '4 faces restored.');
    assert.ok(await page.locator('#progress.idle').count(), 'nothing is under way');
    assert.equal(await page.inputValue('#strength'), '1');
    await page.screenshot({ path: `${OUT}demo-1-sample.png` });

    await showSide(page, 'Home');
    const ours = await differenceFrom(page, python('restored', SAMPLE, ...size), size);
    assert.ok(ours <= 2, `restored, it differs by ${ours}`);
    await showSide(page, 'End');
    const bicubic = python('bicubic', SAMPLE, ...size);
    const theirs = await differenceFrom(page, bicubic, size);
    assert.ok(theirs <= 1, `bicubic, it differs by ${theirs}`);
    assert.equal(await page.getAttribute('#divider', 'aria-valuetext'), '100% before');
    await showSide(page, 'Home');
    assert.ok((await differenceFrom(page, bicubic, size)) > 20, 'before and after differ');
  });

  test('faces are outlined, and a click shows one closely', async () => {
    const [stage, face] = [await boxOf(page, '#stage'), await boxOf(page, '.face >> nth=0')];
    const name = await page.getAttribute('.face >> nth=0', 'aria-label');
    assert.match(name, /^Face 1, \d\d pixels, restored$/);
    const fitted = await scaleOf(page);
    await page.mouse.click(face.x + face.width / 2, face.y + face.height / 2);
    await settled(page);
    assert.ok((await scaleOf(page)) > 1.5 * fitted);
    const near = await boxOf(page, '.face >> nth=0');
    const apart = [
      near.x + near.width / 2 - stage.x - stage.width / 2,
      near.y + near.height / 2 - stage.y - stage.height / 2,
    ];
    assert.ok(Math.hypot(...apart) < 3, `the face is ${apart} from the middle`);
    assert.ok(near.height > 0.5 * stage.height && near.height < stage.height);
    await page.screenshot({ path: `${OUT}demo-2-face.png` });

    await page.click('#fit');
    await settled(page);
    assert.equal(await scaleOf(page), fitted);
  });

  test('faces are buttons for the keyboard, and can be hidden', async () => {
    const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? '');
    await page.focus(CANVAS);
    for (const name of [/^Face 1, /, /^Face 2, /]) {
      await page.keyboard.press('Tab');
      assert.match(await focused(), name);
    }
    const fitted = await scaleOf(page);
    await page.keyboard.press('Enter');
    await settled(page);
    assert.ok((await scaleOf(page)) > 1.5 * fitted);
    assert.match(await focused(), /^Face 2, /, 'the focus stays');
    await page.keyboard.press('0');
    await settled(page);
    assert.equal(await scaleOf(page), fitted);

    assert.equal(await page.getAttribute('#outlines', 'aria-pressed'), 'true');
    await page.click('#outlines');
    assert.equal(await page.getAttribute('#outlines', 'aria-pressed'), 'false');
    assert.equal(await page.isVisible('.face >> nth=0'), false);
    await page.click('#outlines');
    assert.equal(await page.isVisible('.face >> nth=0'), true);
  });

  test('a drag that begins on a face moves the photograph', async () => {
    const face = await boxOf(page, '.face >> nth=1');
    const [x, y] = [face.x + face.width / 2, face.y + face.height / 2];
    const scale = await scaleOf(page);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 30, y + 20, { steps: 3 });
    await page.mouse.up();
    const moved = await boxOf(page, '.face >> nth=1');
    assert.deepEqual([moved.x - face.x, moved.y - face.y].map(Math.round), [30, 20]);
    assert.equal(await scaleOf(page), scale, 'it was no click');
    await page.click('#fit');
  });

  test('saves the whole photograph at the scale', async () => {
    await page.fill('#scale', '3.7');
    const size = SAMPLE_SIZE.map((side) => Math.floor(side * 3.7 + 0.5));
    assert.equal(await page.textContent('#save'), `Save ${size.join('×')}`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    assert.equal(download.suggestedFilename(), `sample-${size.join('x')}.png`);
    await download.saveAs(`${OUT}demo-saved.png`);
    const difference = largestDifference(
      python('pixels', `${OUT}demo-saved.png`),
      python('restored', SAMPLE, ...size),
    );
    assert.equal(difference, 0);
    await page.waitForFunction(() => document.getElementById('status').textContent === 'Saved.');
  });

  test('a file that is no image gives one line, and the photograph stays', async () => {
    const file = { name: 'notes.txt', mimeType: 'image/png', buffer: Buffer.from('no image') };
    await page.setInputFiles('#choose', file);
    await page.waitForSelector('#message:not([hidden])');
    assert.match(await page.textContent('#message'), /^notes\.txt: not a PNG/);
    assert.match(await page.textContent('#facts'), /^sample\.jpg/);
    await page.click('#fit');
    await settled(page);
    await page.screenshot({ path: `${OUT}demo-3-error.png` });
  });

  test('a chosen image is shown instead; an aligned crop is restored as a whole', async () => {
    await page.setInputFiles('#choose', CROP);
    const size = await opened(page, 'astronaut-46.png');
    assert.equal(await page.isVisible('#message'), false);
    assert.equal(await page.textContent('#status'), 'Restored.');
    await showSide(page, 'Home');
    const difference = await differenceFrom(page, python('restored', CROP, ...size), size);
    assert.ok(difference <= 2, `differs by ${difference}`);
  });

  test('zooms to any scale, and renders the visible tiles', async () => {
    const middle = Number(await page.inputValue('#zoom'));
    await page.locator('#zoom').fill(String(middle + 100));
    const larger = Math.floor(SIDE * (await scaleOf(page)) + 0.5);
    await rendered(page, larger, larger);
    await page.fill('#scale', '28.31');
    const side = Math.floor(SIDE * 28.31 + 0.5);
    await rendered(page, side, side);
    const output = python('restored', CROP, side, side);
    const difference = await differenceFrom(page, output, [side, side]);
    assert.ok(difference <= 2, `differs by ${difference}`);
    const sent = requests.filter((request) => request.method() === 'POST');
    assert.equal(sent.length, 3, 'the sample, the notes, and the crop once');
  });

  test('the mouse, the wheel and the keys move and zoom', async () => {
    const box = await boxOf(page, CANVAS);
    const [x, y] = [box.x + box.width / 4, box.y + box.height / 2];
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

    await page.mouse.wheel(0, -200);
    await page.waitForFunction(() => document.getElementById('scale').value > 37);
    await page.focus(CANVAS);
    await page.keyboard.press('-');
    assert.ok((await scaleOf(page)) < 31);
    await page.keyboard.press('0');
    assert.ok((await scaleOf(page)) <= 12);
    await page.keyboard.press('+');
    await page.keyboard.press('ArrowLeft');
    await page.click('#fit');
  });

  test('what cannot be saved is one line', async () => {
    const address = await page.evaluate(() => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 400;
      return canvas.toDataURL('image/png');
    });
    const buffer = Buffer.from(address.split(',')[1], 'base64');
    await page.setInputFiles('#choose', { name: 'large.png', mimeType: 'image/png', buffer });
    await opened(page, 'large.png');
    assert.equal(await page.textContent('#status'), 'Enlarged; no faces were found.');
    assert.equal(await page.isVisible('#outlines'), false);
    await page.fill('#scale', '64');
    await page.click('#save');
    await page.waitForSelector('#message:not([hidden])');
    assert.match(await page.textContent('#message'), /megapixels; the limit is 400/);
    assert.match(await page.textContent('#save'), /^Save /);
  });

  test('an image that the server has dropped is sent again', async () => {
    await page.setInputFiles('#choose', CROP);
    await opened(page, 'astronaut-46.png');
    const others = await page.evaluate(async () => {
      const image = await (await fetch('sample.jpg')).blob();
      const statuses = [];
      for (let i = 0; i < 4; i++) {
        statuses.push((await fetch('images', { method: 'POST', body: image })).status);
      }
      return statuses;
    });
    assert.deepEqual(others, [201, 201, 201, 201]);
    await page.fill('#scale', '5.5');
    await rendered(page, 253, 253);
    assert.equal(await page.isVisible('#message'), false);
  });

  test('fits a phone, and follows fingers', async () => {
    const context = await phone(browser, { colorScheme: 'dark' });
    const touched = await visit(context, server.address, errors);
    const [width] = await opened(touched, 'sample.jpg');
    const wide = await touched.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, 360);
    await touched.screenshot({ path: `${OUT}demo-4-phone.png` });

    const divider = await boxOf(touched, '#divider');
    const y = divider.y + divider.height / 2;
    await drag(touched, [divider.x + 22, y], [divider.x - 60, y]);
    const percent = Number(await touched.getAttribute('#divider', 'aria-valuenow'));
    assert.ok(Math.abs(percent - 26) <= 2, `the divider is at ${percent}`);
    await pinch(touched, CANVAS, 60, 120);
    const [pinched] = await settled(touched);
    assert.ok(Math.abs(pinched - 2 * width) <= 2, 'twice as far, twice as large');
    await touched.tap('#fit');
    await settled(touched);
    await touched.locator('.face >> nth=2').tap();
    assert.ok((await settled(touched))[0] > 2 * width, 'a touch shows a face closely');
    await touched.screenshot({ path: `${OUT}demo-5-phone-face.png` });
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

describe('the demo of a preset with a clean twin', () => {
  let server;
  let browser;
  let page;
  const errors = [];
  const robust = `${OUT}twins/robust`;

  before(async () => {
    await rm(`${OUT}twins`, { recursive: true, force: true });
    python('twins', `${OUT}twins`);
    server = await start('--preset', robust);
    browser = await launch();
    const context = await browser.newContext({ viewport: { width: 640, height: 560 } });
    page = await visit(context, server.address, errors);
  });

  after(async () => {
    await browser?.close();
    server?.demo.kill('SIGKILL');
  });

  test('its strength changes the photograph, and the file that is saved', async () => {
    const size = await opened(page, 'sample.jpg');
    assert.equal(await page.inputValue('#strength'), '1');
    await showSide(page, 'Home');
    const differences = async (strength) =>
      differenceFrom(page, python('restored', SAMPLE, ...size, robust, strength), size);
    assert.ok((await differences(1)) <= 2);
    for (let step = 0; step < 7; step++) {
      await page.focus('#strength');
      await page.keyboard.press('ArrowLeft');
    }
    assert.equal(await page.textContent('#strengths output'), '0.3');
    await page.waitForRequest(/tfsr\?.*strength=0\.3/);
    await settled(page);
    assert.ok((await differences(0.3)) <= 2);
    assert.ok((await differences(1)) > 4);
    await page.screenshot({ path: `${OUT}demo-6-strength.png` });

    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    await download.saveAs(`${OUT}demo-strength.png`);
    assert.equal(
      largestDifference(
        python('pixels', `${OUT}demo-strength.png`),
        python('restored', SAMPLE, ...size, robust, 0.3),
      ),
      0,
    );
    assert.deepEqual(errors, []);
  });
});
