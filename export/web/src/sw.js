// Service worker: the page works without a network once it was opened, and is cross-origin
// isolated (WebAssembly threads need that) wherever it is served from.

import { HEADERS } from './headers.js';
import { runtime } from './runtime.js';

// From the build: a hash of all files, the files every browser needs, and the runtimes, of which
// each browser needs one.
const { version, files, runtimes } = BUILD;
const PREFIX = 'tfsr-';
const CACHE = PREFIX + version;

self.addEventListener('install', (event) => {
  event.waitUntil(precache());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(tidy());
});

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(self.registration.scope)) {
    event.respondWith(respond(event.request));
  }
});

async function precache() {
  const cache = await caches.open(CACHE);
  const wanted = [...files, ...runtimes[await runtime(true)]];
  await cache.addAll(wanted.map((file) => new Request(file, { cache: 'no-cache' })));
}

async function tidy() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function respond(request) {
  const cache = await caches.open(CACHE);
  const cached = await cache.match(request, { ignoreSearch: true });
  return dressed(cached ?? (await fetch(request)));
}

function dressed(response) {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
