// Which build of LiteRT.js's WebAssembly a browser needs.

import { supportsFeature } from '@litertjs/core';
import { COMPATIBLE, THREADED } from './builds.js';

/** The threaded build needs relaxed SIMD, and a page that is cross-origin isolated. */
export async function runtime(isolated) {
  return isolated && (await supportsFeature('relaxedSimd')) ? THREADED : COMPATIBLE;
}
