// Between 8-bit RGBA, of canvases, and float RGB in [0, 1], of models.

export function toFloats(rgba) {
  const floats = new Float32Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    floats[to] = rgba[from] / 255;
    floats[to + 1] = rgba[from + 1] / 255;
    floats[to + 2] = rgba[from + 2] / 255;
  }
  return floats;
}

/** Clip to [0, 1] and round half up, as tfsr's `to_uint8` does. */
export function toBytes(floats) {
  const rgba = new Uint8ClampedArray((floats.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < floats.length; from++, to++) {
    if (to % 4 === 3) to++;
    const level = Math.fround(Math.fround(floats[from] * 255) + 0.5);
    rgba[to] = Math.floor(level);
  }
  return rgba;
}
