// Runs the model, so that the page stays responsive. A classic worker: LiteRT.js loads its
// WebAssembly with importScripts. One worker serves one backend; another starts another.

import { getWebGpuDevice, loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { answer, Moved } from './answering.js';
import { THREADED } from './builds.js';
import { decode, INPUT } from './detector.js';
import { runtime } from './runtime.js';

// More threads than fast cores make phones slower.
const MOST_THREADS = 4;

// What WebGPU may differ from WebAssembly by: 2.5 of 255 levels.
const TOLERANCE = 0.01;

let compiled;
let model;
let wasmOptions;
let detector;

async function start({ backend, wasm, model: description, bytes }) {
  if (backend === 'webgpu' && !(await navigator.gpu?.requestAdapter())) {
    throw new Error('no WebGPU in this browser');
  }
  const build = await runtime(self.crossOriginIsolated && backend !== 'wasm');
  const threaded = build === THREADED;
  if (backend === 'threads' && !threaded) throw new Error('no threads in this browser');
  // Threads load this script again: by itself it would look where this worker lies.
  const script = `${wasm}${build}.js`;
  self.Module = {
    mainScriptUrlOrBlob: script,
    locateFile: (file) => wasm + file,
    printErr: (line) => console.debug(line),
  };
  await loadLiteRt(script);
  model = description;
  const numThreads = threaded ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  wasmOptions = { accelerator: 'wasm', cpuOptions: { numThreads } };
  if (backend === 'webgpu') {
    if (!getWebGpuDevice()) throw new Error('no WebGPU device');
    const gpuOptions = { precision: 'fp32' };
    compiled = await loadAndCompile(bytes, { accelerator: 'webgpu', gpuOptions });
    if (!compiled.isFullyAccelerated) throw new Error('WebGPU refuses the model');
    await check(await loadAndCompile(bytes, wasmOptions));
    return { backend };
  }
  compiled = await loadAndCompile(bytes, wasmOptions);
  return { backend, threads: numThreads };
}

/** Run the model on float RGB in [0, 1], to the same; byte models are converted. */
async function run(lr, executor = compiled) {
  const bytes = executor.getInputDetails()[0].dtype === 'uint8';
  const values = bytes ? Uint8Array.from(lr, (level) => Math.round(level * 255)) : lr;
  const input = new Tensor(values, [1, model.lr, model.lr, 3]);
  try {
    const [output] = await executor.run([input]);
    try {
      const values = await output.data();
      return values instanceof Uint8Array
        ? Float32Array.from(values, (level) => level / 255)
        : values;
    } finally {
      output.delete();
    }
  } finally {
    input.delete();
  }
}

/** Neither all drivers nor all of LiteRT.js's shaders compute what they should: see once. */
async function check(wasm) {
  const { lr } = model;
  // Noise, which smooths over no error.
  let state = 1;
  const noise = Float32Array.from({ length: lr * lr * 3 }, () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  });
  const found = await run(noise);
  const expected = await run(noise, wasm);
  wasm.delete();
  // NaN is no output either.
  const same = found.every((level, i) => Math.abs(level - expected[i]) <= TOLERANCE);
  if (!same) throw new Error('WebGPU computes wrong images');
}

async function upscale(lr) {
  const from = performance.now();
  const sr = await run(lr);
  return new Moved({ sr, seconds: (performance.now() - from) / 1000 }, [sr.buffer]);
}

/** Load the face detector. It is small: WebAssembly runs it on all backends. */
async function loadDetector(bytes) {
  detector = await loadAndCompile(bytes, wasmOptions);
}

/** The faces of this confidence in float RGB in [-1, 1], as `decode` returns them. */
async function detect({ pixels, least }) {
  const input = new Tensor(pixels, [1, INPUT, INPUT, 3]);
  let outputs = [];
  try {
    outputs = await detector.run([input]);
    const values = await Promise.all(outputs.map((output) => output.data()));
    const [scores, numbers] = values.sort((a, b) => a.length - b.length);
    return decode(numbers, scores, least);
  } finally {
    for (const tensor of [input, ...outputs]) tensor.delete();
  }
}

answer({ start, upscale, loadDetector, detect });
