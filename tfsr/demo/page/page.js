// The page: choose an image, zoom, save.

import { Stage } from './stage.js';
import { failure } from './tiles.js';
import { LARGEST } from './view.js';

const at = (id) => document.getElementById(id);
const [message, facts, slider, number] = ['message', 'facts', 'zoom', 'scale'].map(at);
const { preset, max_bytes: maxBytes } = await (await fetch('settings')).json();

let shown; // {file, id, width, height} of the image.
let view;
let saving; // The AbortController of a download.

const stage = new Stage(at('stage'), {
  changed(now) {
    view = now;
    const { width, height } = view.size;
    slider.value = Math.round(1000 * position(view.scale));
    slider.setAttribute('aria-valuetext', `×${view.scale.toFixed(2)}, ${width}×${height} pixels`);
    if (document.activeElement !== number) number.value = Number(view.scale.toFixed(2));
    describe();
  },
  async failed(error) {
    // The server dropped it for other tabs' images; upload the file again.
    if (error.dropped && shown) await open(shown.file, true);
    else showError(error);
  },
});

function showError(error) {
  message.textContent = error?.message ?? '';
  message.hidden = !error;
}

function describe() {
  const { width, height } = view.size;
  const notes = shown.notes.map((note) => `; ${note}`).join('');
  const reduced = view.scale < 1 ? ' Below ×1 both sides show the reduced image.' : '';
  facts.textContent =
    `${shown.file.name}: ${shown.width}×${shown.height} pixels${notes}; ` +
    `at ×${view.scale.toFixed(2)} it has ${width}×${height}.${reduced}`;
  at('save').textContent = saving ? 'Cancel' : `Save ${width}×${height}`;
}

/** A scale's position on the logarithmic slider, from 0 to 1. */
function position(scale) {
  return Math.log(scale / view.smallest) / Math.log(LARGEST / view.smallest);
}

async function open(file, again = false) {
  showError();
  try {
    if (file.size > maxBytes) {
      throw new Error(`${file.name}: a file may have ${maxBytes / 2 ** 20} MiB at most`);
    }
    at('stage').setAttribute('aria-busy', true);
    const query = new URLSearchParams({ name: file.name });
    const headers = { 'Content-Type': 'application/octet-stream' };
    const response = await fetch(`images?${query}`, { method: 'POST', headers, body: file });
    if (!response.ok) throw await failure(response);
    shown = { ...(await response.json()), file };
    at('controls').inert = false;
    stage.show(shown, again);
  } catch (error) {
    at('stage').setAttribute('aria-busy', false);
    showError(error);
  }
}

/** Download the whole output, the same as that of `tfsr upscale`. */
async function save() {
  if (saving) return saving.abort();
  showError();
  saving = new AbortController();
  describe();
  try {
    const { width, height } = view.size;
    const address = `images/${shown.id}/whole?scale=${view.scale}`;
    const response = await fetch(address, { signal: saving.signal });
    if (!response.ok) throw await failure(response);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await response.blob());
    link.download = `${shown.file.name.replace(/\.\w+$/, '')}-${width}x${height}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    if (!saving.signal.aborted) showError(error);
  }
  saving = null;
  describe();
}

at('about').textContent = `${preset}. Nothing leaves this computer.`;
at('controls').inert = true;
at('choose').addEventListener('change', ({ target }) => {
  if (target.files[0]) open(target.files[0]);
  target.value = ''; // So that the same file can be chosen again.
});
at('sample').addEventListener('click', async () => {
  const bytes = await (await fetch('face.png')).blob();
  open(new File([bytes], 'face.png', { type: 'image/png' }));
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
