// A small static server for this computer alone: node serve.mjs [--port 8137]

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HEADERS } from './src/headers.js';

const DIST = fileURLToPath(new URL('dist/', import.meta.url));

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.tflite': 'application/octet-stream',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

async function respond(request, response, root, headers) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  let file;
  let info;
  try {
    const { pathname } = new URL(request.url, 'http://localhost');
    file = normalize(join(root, decodeURIComponent(pathname)));
    if (file.endsWith(sep)) file = join(file, 'index.html');
    info = file.startsWith(root) && (await stat(file));
  } catch {
    info = null;
  }
  if (!info || !info.isFile()) {
    response.writeHead(404, { 'Content-Type': TYPES['.txt'] }).end('Not found\n');
    return;
  }
  const tag = `"${info.size}-${info.mtimeMs}"`;
  const all = {
    ...headers,
    'Cache-Control': 'no-cache',
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    'X-Content-Type-Options': 'nosniff',
    ETag: tag,
  };
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304, all).end();
    return;
  }
  response.writeHead(200, { ...all, 'Content-Length': info.size });
  if (request.method === 'HEAD') response.end();
  else createReadStream(file).on('error', () => response.destroy()).pipe(response);
}

/** Serve a folder on 127.0.0.1; port 0 takes a free one. Returns {url, stop}. */
export function serve({ root = DIST, port = 0, headers = HEADERS } = {}) {
  const folder = normalize(join(root, sep));
  const server = createServer((request, response) =>
    respond(request, response, folder, headers),
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve({
        url: `http://127.0.0.1:${server.address().port}/`,
        stop: () =>
          new Promise((done) => {
            server.close(done);
            server.closeAllConnections();
          }),
      });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8137' } } });
  try {
    await stat(join(DIST, 'index.html'));
    const { url } = await serve({ port: Number(values.port) });
    console.log(`${url} (this computer alone; stop with Ctrl+C)`);
  } catch (error) {
    const missing = error.code === 'ENOENT';
    console.error(missing ? 'dist/ is missing: run npm run build first' : error.message);
    process.exitCode = 1;
  }
}
