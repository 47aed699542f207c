// The page: pick, crop, upscale, compare, save.

import { Compare } from './compare.js';
import { Crop } from './crop.js';
import { Engine } from './engine.js';
import { install } from './install.js';
import { decode, reduce, toCanvas } from './images.js';
import { toBytes, toFloats } from './pixels.js';
import { resize } from './resize.js';

const $ = (id) => document.getElementById(id);

const crop = new Crop($('crop-stage'));
const compare = new Compare($('compare-stage'));

let models = [];
let model;
let engine;
let bitmap = null;
let name = '';
let output = null;

function show(step) {
  for (const section of document.querySelectorAll('main > section')) {
    section.hidden = section.id !== step;
  }
  window.scrollTo(0, 0);
}

function say(message) {
  $('message').textContent = message;
  $('message').hidden = !message;
}

function runsOn({ backend, threads }) {
  if (backend === 'webgpu') return 'WebGPU';
  return `WebAssembly, ${threads} thread${threads > 1 ? 's' : ''}`;
}

async function loadModel() {
  engine?.stop();
  const chosen = new Engine(model, new URLSearchParams(location.search).get('backend'));
  engine = chosen;
  $('status').textContent = 'Loading the model…';
  try {
    const started = await chosen.start();
    if (engine === chosen) $('status').textContent = `Ready: ${runsOn(started)}.`;
  } catch (error) {
    if (engine !== chosen) return;
    $('status').textContent = '';
    say(error.message);
  }
}

async function loadModels() {
  try {
    const response = await fetch('models/models.json');
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    models = await response.json();
  } catch (error) {
    say(`The model could not be loaded: ${error.message}`);
    return;
  }
  models = models.map((entry) => ({ ...entry, url: `models/${entry.file}` }));
  $('models').replaceChildren(...models.map(({ title }) => new Option(title)));
  $('models-label').hidden = models.length < 2;
  model = models[0];
  await loadModel();
}

async function pick(input) {
  const [file] = input.files;
  input.value = ''; // so that the same file can be picked again
  if (!file) return;
  say('');
  try {
    const image = await decode(file);
    bitmap?.close();
    bitmap = image;
  } catch (error) {
    say(error.message);
    return;
  }
  name = file.name.replace(/\.[^.]*$/, '') || 'face';
  show('crop');
  crop.show(bitmap);
  $('crop-box').focus({ preventScroll: true });
}

async function upscale() {
  const { lr, sr } = model;
  say('');
  $('crop').inert = true;
  $('upscale').textContent = 'Upscaling…';
  // Let the browser show that first.
  await new Promise((resolve) => setTimeout(resolve, 30));
  try {
    const small = reduce(bitmap, crop.square, lr);
    const floats = toFloats(small);
    const result = await engine.upscale(floats);
    output = toCanvas(toBytes(result.sr), sr, sr);
    compare.show(toCanvas(resize(small, lr, lr, sr, sr), sr, sr), output);
    $('facts').textContent =
      `${lr}×${lr} to ${sr}×${sr} pixels in ${result.seconds.toFixed(2)} s. ${runsOn(result)}.`;
    show('result');
    $('divider').focus({ preventScroll: true });
    document.dispatchEvent(
      new CustomEvent('upscaled', { detail: { square: crop.square, small, floats, ...result } }),
    );
  } catch (error) {
    say(error.message);
  } finally {
    $('crop').inert = false;
    $('upscale').textContent = 'Upscale';
  }
}

function save() {
  output.toBlob((blob) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `${name}-${output.width}x${output.height}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }, 'image/png');
}

for (const id of ['choose', 'take']) {
  $(id).addEventListener('change', (event) => pick(event.target));
}
$('models').addEventListener('change', () => {
  model = models[$('models').selectedIndex];
  loadModel();
});
$('upscale').addEventListener('click', upscale);
$('save').addEventListener('click', save);
$('again').addEventListener('click', () => show('crop'));
for (const button of document.querySelectorAll('.other')) {
  button.addEventListener('click', () => {
    say('');
    show('pick');
  });
}

await loadModels();
await install(() => bitmap === null);
