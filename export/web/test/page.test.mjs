import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { serve } from '../serve.mjs';
import { toBytes } from '../src/pixels.js';
import {
  boxOf,
  canvasPixels,
  drag,
  floatsOf,
  largestDifference,
  launch,
  needs,
  OUT,
  path,
  phone,
  pick,
  pickToCrop,
  reference,
  settled,
  upscale,
} from './setup.mjs';

const PHOTOGRAPH = path('photograph.jpg');
const FACE = path('../../../docs/images/astronaut.png');
const TOLERANCE = 1e-5;

before(needs);

function build(models, out) {
  execFileSync(process.execPath, [path('../build.mjs'), '--models', models, '--out', out]);
}

/** A JSON file, as the page gets it. */
function json(page, url) {
  return page.evaluate((address) => fetch(address).then((response) => response.json()), url);
}

/** The largest difference from LiteRT in Python, on the page's own LR image. */
function differenceFromPython({ floats, sr }, dist = path('../dist/')) {
  const [{ file }] = JSON.parse(readFileSync(`${dist}models/models.json`));
  const expected = reference('run', [`${dist}models/${file}`], Float32Array.from(floats));
  return largestDifference(sr, floatsOf(expected));
}

describe('the page, on a phone', () => {
  let server;
  let browser;
  let context;
  let page;
  let result;
  const requests = [];
  const errors = [];

  before(async () => {
    server = await serve();
    process.env.PW_EXPERIMENTAL_SERVICE_WORKER_NETWORK_EVENTS = '1';
    // No other place can be reached, and what is asked of one is recorded below.
    browser = await launch(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']);
    context = await phone(browser);
    context.on('request', (request) => requests.push(request.url()));
    // As an older version would have left it.
    await context.addInitScript(() => globalThis.caches?.open('tfsr-old'));
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(server.url);
    await settled(page);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('loads the model and says what it runs on', async () => {
    assert.equal(await page.textContent('#message'), '');
    assert.match(await page.textContent('#status'), /^Ready: WebAssembly, [1-4] threads?\.$/);
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    assert.equal(await page.getAttribute('#take', 'capture'), 'environment');
    await page.screenshot({ path: `${OUT}1-pick.png` });
  });

  test('a file that is no image gives one line', async () => {
    const file = { name: 'notes.txt', mimeType: 'image/png', buffer: Buffer.from('no image') };
    await page.setInputFiles('#choose', file);
    await page.waitForSelector('#message:not([hidden])');
    assert.equal(
      await page.textContent('#message'),
      'notes.txt is not an image that this browser can read.',
    );
    await page.screenshot({ path: `${OUT}2-error.png` });
  });

  test('an image is shown upright', async () => {
    const buffer = reference('turned', []);
    await pick(page, { name: 'turned.jpg', mimeType: 'image/jpeg', buffer }, '#take');
    const pixels = await canvasPixels(page, '#photo-stage canvas');
    assert.equal(pixels.length, 48 * 64 * 4);
    assert.ok(pixels[0] > 200 && pixels[2] < 50, 'the top is red');
    assert.ok(pixels.at(-4) < 50 && pixels.at(-2) > 200, 'the bottom is blue');
    await page.locator('#photo .other').tap();
  });

  test('an image is cropped by touch and by keys', async () => {
    await pickToCrop(page, FACE);
    assert.equal(await page.isVisible('#message'), false);
    const stage = await boxOf(page, '#crop-stage');
    assert.ok(stage.x >= 0 && stage.right <= 360, 'the image fits the phone');
    const whole = await boxOf(page, '#crop-box');
    assert.ok(Math.abs(whole.width - stage.width) < 1, 'a square image is taken whole');

    await drag(page, [whole.right - 9, whole.bottom - 9], [whole.right - 89, whole.bottom - 89]);
    const smaller = await boxOf(page, '#crop-box');
    assert.ok(Math.abs(smaller.width - (whole.width - 80)) < 2, 'a corner resizes it');
    await drag(page, [150, smaller.y + 90], [180, smaller.y + 120]);
    const moved = await boxOf(page, '#crop-box');
    assert.ok(Math.abs(moved.x - smaller.x - 30) < 2, 'its middle moves it');

    const label = () => page.getAttribute('#crop-box', 'aria-label');
    const start = await label();
    await page.focus('#crop-box');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowUp');
    assert.notEqual(await label(), start);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    assert.equal(await label(), start);
    await page.keyboard.press('+');
    assert.notEqual(await label(), start);
    await page.keyboard.press('-');
    assert.equal(await label(), start);
    await page.screenshot({ path: `${OUT}3-crop.png` });
  });

  test('upscales to what Python computes', async () => {
    result = await upscale(page);
    const { x, y, side } = result.square;
    assert.ok(x > 0 && side < 184);
    const [{ lr, sr }] = await json(page, 'models/models.json');
    assert.deepEqual(Buffer.from(result.small), reference('crop', [FACE, x, y, side, lr]));
    assert.equal(result.sr.length, sr * sr * 3);
    const difference = differenceFromPython(result);
    assert.ok(difference <= TOLERANCE, `differs by ${difference}`);
    assert.match(
      await page.textContent('#facts'),
      new RegExp(`^${lr}×${lr} to ${sr}×${sr} pixels in [\\d.]+ s\\. WebAssembly, .*\\.$`),
    );
    console.log(`largest difference from Python ${difference}; ${result.seconds.toFixed(2)} s`);
    await page.screenshot({ path: `${OUT}4-result.png` });
  });

  test('the divider follows a finger and the keys', async () => {
    const value = async () => Number(await page.getAttribute('#divider', 'aria-valuenow'));
    const show = () => canvasPixels(page, '#compare-stage canvas');
    assert.equal(await value(), 50);
    const middle = await show();
    const stage = await boxOf(page, '#compare-stage');
    const y = stage.y + stage.height / 2;
    await drag(page, [stage.x + stage.width / 2, y], [stage.x + stage.width / 4, y]);
    assert.equal(await value(), 25);
    assert.ok(largestDifference(middle, await show()) > 10, 'the view changes');
    await page.screenshot({ path: `${OUT}5-divider.png` });

    await page.keyboard.press('ArrowRight');
    assert.equal(await value(), 27);
    assert.equal(await page.getAttribute('#divider', 'aria-valuetext'), '27% bicubic');
    await page.keyboard.press('Home');
    assert.deepEqual(await show(), [...toBytes(result.sr)], 'ours at one end');
    await page.keyboard.press('End');
    const side = Math.sqrt(result.sr.length / 3);
    const lr = Math.sqrt(result.small.length / 4);
    const bicubic = reference('resize', [lr, lr, side, side], Uint8Array.from(result.small));
    assert.deepEqual(Buffer.from(await show()), bicubic, "Pillow's bicubic at the other");
  });

  test('saves a PNG of what was computed', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.tap('#save')]);
    const side = Math.sqrt(result.sr.length / 3);
    assert.equal(download.suggestedFilename(), `astronaut-${side}x${side}.png`);
    await download.saveAs(`${OUT}saved.png`);
    const png = await readFile(`${OUT}saved.png`);
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [side, side]);
    assert.deepEqual(reference('pixels', [`${OUT}saved.png`]), Buffer.from(toBytes(result.sr)));
  });

  test('can be installed', async () => {
    await page.waitForSelector('[data-offline]', { state: 'attached' });
    const session = await context.newCDPSession(page);
    const { errors: faults } = await session.send('Page.getAppManifest');
    assert.deepEqual(faults, []);
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    // An incognito window, such as the tests' own, never installs.
    const real = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
    assert.deepEqual(real, []);
    const manifest = await json(page, 'manifest.webmanifest');
    for (const { src, sizes } of manifest.icons) {
      const icon = readFileSync(path(`../dist/${src}`));
      assert.equal(`${icon.readUInt32BE(16)}x${icon.readUInt32BE(20)}`, sizes);
    }
  });

  test('works when the server is gone', async () => {
    assert.equal((await page.evaluate(() => caches.keys())).length, 1, 'old caches are deleted');
    await server.stop();
    server = null;
    await page.goto('about:blank');
    await page.goto(requests[0]);
    await settled(page);
    assert.match(await page.textContent('#status'), /^Ready: WebAssembly/);
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    await pick(page, PHOTOGRAPH);
    assert.match(await page.textContent('#found'), /^[5-7] faces found\./);
    await page.locator('#by-hand').tap();
    const offline = await upscale(page);
    const difference = differenceFromPython(offline);
    assert.ok(difference <= TOLERANCE, `differs by ${difference}`);
  });

  test('asked nothing of any other place, and threw nothing', () => {
    const [first] = requests;
    assert.ok(requests.some((url) => url.endsWith('.wasm')), "the worker's requests are seen");
    assert.ok(requests.some((url) => url.endsWith('maskable.png')), "the service worker's too");
    const foreign = requests.filter((url) => !url.startsWith(first) && url !== 'about:blank');
    assert.deepEqual(foreign, []);
    assert.deepEqual(errors, []);
  });
});

describe('where not everything works', () => {
  let browser;

  before(async () => {
    browser = await launch();
  });

  after(() => browser?.close());

  test('a server without headers: the service worker isolates the page', async () => {
    const server = await serve({ headers: {} });
    const page = await (await phone(browser)).newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => crossOriginIsolated);
    await settled(page);
    assert.match(await page.textContent('#status'), /^Ready: WebAssembly/);
    await page.context().close();
    await server.stop();
  });

  test('no threads: computes the same', async () => {
    const server = await serve();
    const page = await (await phone(browser)).newPage();
    await page.goto(`${server.url}?backend=wasm`);
    await pickToCrop(page, FACE);
    const result = await upscale(page);
    assert.equal(result.threads, 1);
    const difference = differenceFromPython(result);
    assert.ok(difference <= TOLERANCE, `differs by ${difference}`);
    await page.context().close();
    await server.stop();
  });

  test('several models can be chosen between', async () => {
    const models = `${OUT}both`;
    await mkdir(models, { recursive: true });
    await cp(path('models/simple/bilinear.tflite'), `${models}/1.tflite`);
    await cp(path('models/broadcast/darken.tflite'), `${models}/2.tflite`);
    const dist = `${OUT}dist-both/`;
    build(models, dist);
    const server = await serve({ root: dist });
    const page = await (await phone(browser)).newPage();
    await page.goto(server.url);
    await pickToCrop(page, FACE);
    const simple = await upscale(page);
    await page.tap('#again');
    await page.selectOption('#models', { index: 1 });
    const darker = await upscale(page);
    assert.deepEqual(darker.small, simple.small);
    assert.ok(Math.abs(darker.sr.at(-1) - simple.sr.at(-1) / 4) < TOLERANCE);
    await page.context().close();
    await server.stop();
  });

  test('a model that is not there, or broken, gives one line', async () => {
    const server = await serve();
    for (const [response, expected] of [
      [{ status: 404 }, /^The model could not be loaded: 404 Not Found$/],
      [{ body: 'no model' }, /^The model could not be loaded: .+$/],
    ]) {
      // A service worker would cache the model, and fetch it past the route.
      const context = await phone(browser, { serviceWorkers: 'block' });
      await context.route('**/*.tflite', (route) => route.fulfill(response));
      const page = await context.newPage();
      await page.goto(server.url);
      await settled(page);
      assert.match(await page.textContent('#message'), expected);
      await context.close();
    }
    await server.stop();
  });
});

// Chromium's own software stands in for a graphics card.
describe('WebGPU', () => {
  let browser;

  before(async () => {
    browser = await launch([
      '--enable-unsafe-webgpu',
      '--enable-features=Vulkan',
      '--use-webgpu-adapter=swiftshader',
    ]);
  });

  after(() => browser?.close());

  async function open(models) {
    const dist = `${OUT}dist-${models.split('/').at(-1)}/`;
    build(path(models), dist);
    const server = await serve({ root: dist });
    const page = await (await phone(browser)).newPage();
    await page.goto(server.url);
    await settled(page);
    await pickToCrop(page, FACE);
    const result = await upscale(page);
    const facts = await page.textContent('#facts');
    await page.context().close();
    await server.stop();
    return { result, facts, difference: differenceFromPython(result, dist) };
  }

  test('is used, and computes what Python computes', async () => {
    const { result, facts, difference } = await open('models/simple');
    assert.equal(result.backend, 'webgpu');
    assert.match(facts, / WebGPU\.$/);
    assert.ok(difference <= TOLERANCE, `differs by ${difference}`);
  });

  test('takes the shipped preset whole', async () => {
    const { result, difference } = await open('out/preset');
    assert.equal(result.backend, 'webgpu');
    // A graphics card's sines differ in their last bits.
    assert.ok(difference <= 1e-3, `differs by ${difference}`);
    console.log(`WebGPU: largest difference from Python ${difference}`);
  });

  test('takes a linear decoder whole', async () => {
    const { result, difference } = await open('models/linear');
    assert.equal(result.backend, 'webgpu');
    assert.ok(difference <= TOLERANCE, `differs by ${difference}`);
  });

  test('gives way to WebAssembly where it computes something else', async () => {
    const { result, facts, difference } = await open('models/broadcast');
    assert.equal(result.backend, 'threads');
    assert.match(facts, / WebAssembly, \d threads?\.$/);
    assert.ok(difference <= TOLERANCE, `differs by ${difference}`);
  });
});
