// The page: choose an image, see it restored, zoom, save.

import * as server from './server.js';
import { Stage } from './stage.js';
import { Status } from './status.js';
import { LARGEST } from './view.js';

const at = (id) => document.getElementById(id);
const [message, facts, slider, number, strength] = [
  'message',
  'facts',
  'zoom',
  'scale',
  'strength',
].map(at);
const STRENGTH_DELAY = 200; // Milliseconds after the slider's last step.

const status = new Status(at('status'), at('progress'));
const settings = await server.settings();

let shown; // {file, id, width, height, notes, found} of the image.
let view;
let job; // The AbortController of what is done for the image.
let saving; // That of a download.
let strengthTimer;

const stage = new Stage(at('stage'), {
  changed(now) {
    view = now;
    const { width, height } = view.size;
    slider.value = Math.round(1000 * position(view.scale));
    slider.setAttribute('aria-valuetext', `×${view.scale.toFixed(2)}, ${width}×${height} pixels`);
    if (document.activeElement !== number) number.value = Number(view.scale.toFixed(2));
    describe();
  },
  rendered(tiles, missing) {
    if (saving) return;
    if (missing) status.progress((tiles - missing) / tiles);
    else status.done(summary());
  },
  failed: (error) => retry(error),
});

function showError(error) {
  message.textContent = error?.message ?? '';
  message.hidden = !error;
}

function describe() {
  const { width, height } = view.saved;
  const alike = view.scale < 1 && shown.found && !shown.found.reduces;
  facts.textContent =
    `${shown.file.name}, ${shown.width}×${shown.height}` +
    (alike ? '; below ×1 both sides are the same' : '');
  at('save').textContent = saving ? 'Cancel' : `Save ${width}×${height}`;
}

/** What was done with the image, in a sentence or two. */
function summary() {
  const { faces, whole, note } = shown.found;
  const restored = faces.filter((face) => face.restored).length;
  const count = faces.length === 1 ? '1 face' : `${faces.length} faces`;
  let done = restored < faces.length ? `${count}, ${restored} restored` : `${count} restored`;
  if (whole) done = faces.length ? 'Restored' : '';
  else if (!restored) done = 'Enlarged';
  const text = [done, note, ...shown.notes].filter(Boolean).join('; ');
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** A scale's position on the logarithmic slider, from 0 to 1. */
function position(scale) {
  return Math.log(scale / view.smallest) / Math.log(LARGEST / view.smallest);
}

const chosenStrength = () => (settings.strength === null ? null : strength.valueAsNumber);

/** Start something for the image; what was being done for it is abandoned. */
async function start(work) {
  job?.abort();
  const { signal } = (job = new AbortController());
  try {
    await work(signal);
  } catch (error) {
    if (!signal.aborted) await retry(error);
  }
}

/** The server drops images for those of other tabs: send this one again. */
async function retry(error) {
  if (error.dropped && shown) return open(shown.file, true);
  status.done('');
  showError(error);
}

/** @param again whether it is the current image, which the server has dropped. */
function open(file, again = false) {
  return start(async (signal) => {
    showError();
    if (file.size > settings.max_bytes) {
      throw new Error(`${file.name}: a file may have ${settings.max_bytes / 2 ** 20} MiB at most`);
    }
    status.work(`Reading ${file.name} …`);
    shown = { ...(await server.send(file, signal)), file };
    at('controls').inert = false;
    stage.show(shown, again);
    await finish(signal);
  });
}

/** Find the faces of the image, and restore them. */
async function finish(signal) {
  status.work('Finding faces …');
  shown.found = await server.findFaces(shown.id, chosenStrength(), signal);
  stage.outline(shown.found.faces);
  at('outlines').hidden = !shown.found.faces.length;
  await restore(signal);
}

/** Encode what is restored, part by part, and show it. */
async function restore(signal) {
  const { parts, whole, reduces } = shown.found;
  const amount = chosenStrength();
  for (let part = 0; part < parts; part++) {
    const what = whole ? 'the whole image' : `face ${part + 1} of ${parts}`;
    status.work(`Restoring ${what} …`, part / parts);
    await server.encode(shown.id, part, view.size, amount, signal);
  }
  status.work('Rendering …', 0);
  stage.restore(amount, reduces);
}

/** Download the whole output, the same as that of `tfsr upscale`. */
async function save() {
  if (saving) return saving.abort();
  showError();
  saving = new AbortController();
  describe();
  const { scale, width, height } = view.saved;
  status.work(`Saving ${width}×${height} pixels …`);
  let outcome = 'Saved.';
  try {
    const file = await server.whole(shown.id, scale, chosenStrength(), saving.signal);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${shown.file.name.replace(/\.\w+$/, '')}-${width}x${height}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    outcome = 'Not saved.';
    if (!saving.signal.aborted) showError(error);
  }
  saving = null;
  status.done(outcome);
  describe();
}

function showStrength() {
  at('strengths').querySelector('output').textContent = strength.valueAsNumber.toFixed(1);
}

at('preset').textContent = `${settings.preset}.`;
at('controls').inert = true;
at('strengths').hidden = settings.strength === null;
if (settings.strength !== null) {
  strength.value = settings.strength;
  showStrength();
}
strength.addEventListener('input', () => {
  showStrength();
  clearTimeout(strengthTimer);
  strengthTimer = setTimeout(() => shown?.found && start(restore), STRENGTH_DELAY);
});
at('choose').addEventListener('change', ({ target }) => {
  if (target.files[0]) open(target.files[0]);
  target.value = ''; // So that the same file can be chosen again.
});
slider.addEventListener('input', () => {
  stage.zoom(view.smallest * (LARGEST / view.smallest) ** (slider.value / 1000));
});
number.addEventListener('input', () => {
  if (number.validity.valid && number.valueAsNumber > 0) stage.zoom(number.valueAsNumber);
});
number.addEventListener('change', () => {
  number.value = Number(view.scale.toFixed(2));
});
at('fit').addEventListener('click', () => stage.fit());
at('outlines').addEventListener('click', ({ target }) => {
  const pressed = target.getAttribute('aria-pressed') !== 'true';
  target.setAttribute('aria-pressed', pressed);
  at('faces').hidden = !pressed;
});
at('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  save();
});
for (const kind of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    at('stage').classList.toggle('over', kind === 'dragover');
    if (event.dataTransfer.files[0] && kind === 'drop') open(event.dataTransfer.files[0]);
  });
}
start(async (signal) => {
  const bytes = await (await fetch('sample.jpg', { signal })).blob();
  open(new File([bytes], 'sample.jpg', { type: 'image/jpeg' }));
});
