// What the tests share: the programs they need, a phone's page, touches.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export const PYTHON = process.env.PYTHON ?? path('../../../.venv/bin/python');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export const OUT = path('out/');

export async function needs() {
  const missing = [];
  if (!existsSync(CHROMIUM)) {
    missing.push(`${CHROMIUM} (install the system packages nodejs npm chromium, or set CHROMIUM)`);
  }
  try {
    execFileSync(PYTHON, ['-c', 'import fastapi, tfsr, uvicorn'], { stdio: 'pipe' });
  } catch {
    missing.push(`${PYTHON} with tfsr[demo] (or set PYTHON)`);
  }
  if (!existsSync(path('../dist/sw.js'))) missing.push('dist/ (run npm run build)');
  if (!existsSync(path('out/preset'))) missing.push("the preset's small export (make test-web)");
  if (missing.length) throw new Error(`the tests need ${missing.join('; and ')}`);
  await mkdir(OUT, { recursive: true });
}

/** The output of one of reference.py's functions, as bytes. */
export function reference(name, args, input) {
  return execFileSync(PYTHON, [path('reference.py'), name, ...args.map(String)], {
    input,
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** A region as the numbers that reference.py takes and prints, rows before columns. */
export function numbersOf({ x, y, down, across }) {
  return [y, x, down[1], down[0], across[1], across[0]];
}

export function launch(args = []) {
  return chromium.launch({ executablePath: CHROMIUM, args });
}

export function phone(browser, options = {}) {
  return browser.newContext({
    ...options,
    viewport: { width: 360, height: 740 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
    acceptDownloads: true,
  });
}

/** Wait until the model is loaded, or could not be. */
export async function settled(page) {
  await page.waitForFunction(
    () =>
      document.getElementById('status').textContent.startsWith('Ready') ||
      !document.getElementById('message').hidden,
  );
}

/** Pick an image, and wait until its faces are found: the detail of the page's event. */
export async function pick(page, file, input = '#choose') {
  const detail = await detailOf(page, 'found', () => page.setInputFiles(input, file));
  await idle(page);
  return detail;
}

/** Pick an image, and go on to crop it by hand. */
export async function pickToCrop(page, file) {
  await page.setInputFiles('#choose', file);
  await page.waitForSelector('#photo:not([hidden])');
  await page.locator('#by-hand').tap();
  await page.waitForSelector('#crop:not([hidden])');
}

/** Wait until the photograph's page has no work left. */
export function idle(page) {
  return page.waitForSelector('#photo[aria-busy=false]', { state: 'attached' });
}

/** Do something, and wait for an event of the page: its detail. */
export async function detailOf(page, name, act) {
  const detail = page.evaluate(
    (type) =>
      new Promise((resolve) => {
        document.addEventListener(type, (event) => resolve(event.detail), { once: true });
      }),
    name,
  );
  await act();
  return detail;
}

/** Upscale the crop; returns the detail of the page's event. */
export async function upscale(page) {
  const detail = page.evaluate(
    () =>
      new Promise((resolve) => {
        const plain = (detail) => ({
          ...detail,
          small: [...detail.small],
          floats: [...detail.floats],
          sr: [...detail.sr],
        });
        document.addEventListener('upscaled', ({ detail }) => resolve(plain(detail)), {
          once: true,
        });
      }),
  );
  await page.tap('#upscale');
  return detail;
}

/** Drag a finger from a point to another, in CSS pixels. */
export async function drag(page, from, to) {
  const session = await page.context().newCDPSession(page);
  const send = (type, point) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: point ? [{ x: point[0], y: point[1] }] : [],
    });
  await send('touchStart', from);
  for (let step = 1; step <= 5; step++) {
    await send('touchMove', from.map((place, axis) => place + ((to[axis] - place) * step) / 5));
  }
  await send('touchEnd');
  await session.detach();
}

export async function boxOf(page, selector) {
  const { x, y, width, height } = await page.locator(selector).boundingBox();
  return { x, y, width, height, right: x + width, bottom: y + height };
}

/** RGBA bytes of a canvas. */
export function canvasPixels(page, selector) {
  return page.evaluate((which) => {
    const canvas = document.querySelector(which);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [...data];
  }, selector);
}

export function largestDifference(first, second) {
  if (first.length !== second.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < first.length; i++) {
    const difference = Math.abs(first[i] - second[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

export function floatsOf(buffer) {
  return new Float32Array(new Uint8Array(buffer).buffer);
}
