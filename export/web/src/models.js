// The models that the page may run, and the engine of the chosen one.

import { $, say } from './dom.js';
import { Engine } from './engine.js';

export function runsOn({ backend, threads }) {
  if (backend === 'webgpu') return 'WebGPU';
  return `WebAssembly, ${threads} thread${threads > 1 ? 's' : ''}`;
}

export class Models {
  #list;
  model = null;
  engine = null;

  constructor() {
    this.#list = list();
    // Reported by `load`.
    this.#list.catch(() => {});
  }

  /** Load the first model. */
  async load() {
    let models;
    try {
      models = await this.#list;
    } catch (error) {
      say(error.message);
      return;
    }
    const choice = $('models');
    choice.replaceChildren(...models.map(({ title }) => new Option(title)));
    $('models-label').hidden = models.length < 2;
    choice.addEventListener('change', () => this.#use(models[choice.selectedIndex]));
    await this.#use(models[0]);
  }

  /** {model, engine} of the chosen model, which need not be loaded yet. */
  async chosen() {
    const [first] = await this.#list;
    this.#choose(first);
    return { model: this.model, engine: this.engine };
  }

  #choose(model) {
    if (this.model) return;
    this.model = model;
    this.engine = new Engine(model, new URLSearchParams(location.search).get('backend'));
  }

  async #use(model) {
    if (model !== this.model) {
      this.engine?.stop();
      this.model = null;
    }
    this.#choose(model);
    const chosen = this.engine;
    $('status').textContent = 'Loading the model…';
    try {
      const started = await chosen.start();
      if (this.engine === chosen) $('status').textContent = `Ready: ${runsOn(started)}.`;
    } catch (error) {
      if (this.engine !== chosen) return;
      $('status').textContent = '';
      say(error.message);
    }
  }
}

async function list() {
  try {
    const response = await fetch('models/models.json');
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    const models = await response.json();
    return models.map((model) => ({ ...model, url: `models/${model.file}` }));
  } catch (error) {
    throw new Error(`The model could not be loaded: ${error.message}`);
  }
}
