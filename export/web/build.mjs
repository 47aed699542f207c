// Builds the page: node build.mjs [--models folder of .tflite files] [--out folder]

import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { icon, ICONS } from './icons.mjs';
import { COMPATIBLE, THREADED } from './src/builds.js';
import { POLICY } from './src/headers.js';
import { sides } from './tflite.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: process.env.MODELS ?? join(HERE, 'models') },
    out: { type: 'string', default: join(HERE, 'dist') },
  },
});
const OUT = resolve(values.out);

async function bundle(name, format, define = {}) {
  await build({
    entryPoints: [join(HERE, 'src', name)],
    outfile: join(OUT, name),
    bundle: true,
    minify: true,
    format,
    define,
    target: 'es2022',
    logLevel: 'warning',
  });
}

async function copyModels(folder) {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.tflite')).sort();
  if (!files.length) throw new Error(`no .tflite file in ${folder}`);
  await mkdir(join(OUT, 'models'));
  const models = [];
  for (const file of files) {
    const bytes = await readFile(join(folder, file));
    try {
      const { lr, sr } = sides(bytes);
      const title = `${file.slice(0, -'.tflite'.length)}: ${lr}×${lr} to ${sr}×${sr}`;
      models.push({ file, lr, sr, title });
    } catch (error) {
      throw new Error(`${file}: ${error.message}`);
    }
    await writeFile(join(OUT, 'models', file), bytes);
  }
  await writeFile(join(OUT, 'models', 'models.json'), `${JSON.stringify(models, null, 2)}\n`);
  return models;
}

function packageFolder(name) {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}

/** The face detector of MediaPipe: its model alone, which LiteRT.js runs. */
async function copyDetector() {
  const file = 'face_detection_full_range.tflite';
  const folder = packageFolder('@mediapipe/face_detection');
  await mkdir(join(OUT, 'detector'));
  // Without the permissions that it has in the package: all may read it.
  await writeFile(join(OUT, 'detector', file), await readFile(join(folder, file)));
}

async function copyRuntimes() {
  const core = packageFolder('@litertjs/core');
  const runtimes = {};
  for (const name of [THREADED, COMPATIBLE]) {
    runtimes[name] = [`wasm/${name}.js`, `wasm/${name}.wasm`];
    for (const file of runtimes[name]) await cp(join(core, file), join(OUT, file));
  }
  return runtimes;
}

async function listFiles() {
  const entries = await readdir(OUT, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(OUT, join(entry.parentPath ?? entry.path, entry.name)))
    .map((file) => file.split(sep).join('/'))
    .sort();
}

async function main() {
  await rm(OUT, { recursive: true, force: true });
  await cp(join(HERE, 'static'), OUT, { recursive: true });
  // LiteRT.js and the face detector are Apache-2.0 too.
  await cp(join(HERE, '../../LICENSE'), join(OUT, 'LICENSE.txt'));
  const page = await readFile(join(OUT, 'index.html'), 'utf8');
  await writeFile(join(OUT, 'index.html'), page.replace('%POLICY%', POLICY));
  await mkdir(join(OUT, 'icons'));
  for (const [name, [size, shape]] of Object.entries(ICONS)) {
    await writeFile(join(OUT, 'icons', name), icon(size, shape));
  }
  const models = await copyModels(resolve(values.models));
  await copyDetector();
  const runtimes = await copyRuntimes();
  await bundle('page.js', 'esm');
  await bundle('worker.js', 'iife');
  await bundle('photo.js', 'iife');

  const files = await listFiles();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(await readFile(join(OUT, file)));
  const version = hash.digest('hex').slice(0, 12);
  const runtimeFiles = Object.values(runtimes).flat();
  const cached = files.filter((file) => !runtimeFiles.includes(file) && file !== 'index.html');
  const BUILD = JSON.stringify({ version, files: ['./', ...cached], runtimes });
  await bundle('sw.js', 'iife', { BUILD });
  for (const { title } of models) console.log(title);
  console.log(`${OUT} is built, version ${version}`);
}

try {
  await main();
} catch (error) {
  console.error(`build: ${error.message}`);
  process.exitCode = 1;
}
