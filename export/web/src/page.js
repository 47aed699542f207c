// The page: pick a photograph, find its faces, restore them, compare, save. Or crop one by hand.

import { CropStep } from './crop_step.js';
import { $, say, show } from './dom.js';
import { decode } from './images.js';
import { install } from './install.js';
import { Models } from './models.js';
import { PhotoStep } from './photo_step.js';
import { Result } from './result.js';

const models = new Models();
const result = new Result();
const photo = new PhotoStep(models, result);
const crop = new CropStep(models, result, (region) => photo.add(region));

let image = null;
let picks = 0;

async function pick(input) {
  const [file] = input.files;
  input.value = ''; // so that the same file can be picked again
  if (!file) return;
  say('');
  const mine = ++picks;
  try {
    const decoded = await decode(file);
    if (mine !== picks) {
      decoded.bitmap.close();
      return;
    }
    leave();
    image = { ...decoded, name: file.name.replace(/\.[^.]*$/, '') || 'photo', type: file.type };
  } catch (error) {
    if (mine === picks) say(error.message);
    return;
  }
  await photo.open(image);
}

/** Give up what was picked, and the work on it. */
function leave() {
  photo.close();
  result.clear();
  image?.bitmap.close();
  image = null;
}

for (const id of ['choose', 'take']) {
  $(id).addEventListener('change', (event) => pick(event.target));
}
$('by-hand').addEventListener('click', () => {
  photo.cancel();
  crop.open(image);
});
$('again').addEventListener('click', () => show(result.back));
$('to-photo').addEventListener('click', () => show('photo'));
for (const button of document.querySelectorAll('.other')) {
  button.addEventListener('click', () => {
    say('');
    leave();
    show('pick');
  });
}

await models.load();
await install(() => image === null);
