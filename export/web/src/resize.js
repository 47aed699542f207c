// Pillow's BICUBIC on 8-bit images, bit for bit: the kernel with a = -0.5, widened when the
// image is reduced (antialiased), widths first, weights of 22 bits, 8 bits between the passes.
// Images are RGBA bytes, row by row; alpha is not read, and is 255 in the output.

const BITS = 22;
const HALF = 1 << (BITS - 1);

function cubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return -0.5 * (((x - 5) * x + 8) * x - 4);
  return 0;
}

/** For places of the output: the first place each reads, and its whole-number weights. */
function taps(from, to, start = 0, stop = to) {
  const scale = from / to;
  const widening = Math.max(scale, 1);
  const support = 2 * widening;
  return Array.from({ length: stop - start }, (_, i) => {
    const centre = (start + i + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const last = Math.min(Math.trunc(centre + support + 0.5), from);
    const weights = new Float64Array(last - first);
    let sum = 0;
    for (let i = 0; i < weights.length; i++) {
      weights[i] = cubic((i + first - centre + 0.5) * (1 / widening));
      sum += weights[i];
    }
    const whole = Int32Array.from(weights, (weight) => {
      const fixed = (weight / sum) * 2 ** BITS;
      return Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
    return { first, weights: whole };
  });
}

/** Resize along one axis: `lines` lines, `lineStep` bytes apart, of places `step` bytes apart. */
function pass(source, tapsOfPlaces, lines, [lineStep, step], output, [outputLineStep, outputStep]) {
  tapsOfPlaces.forEach(({ first, weights }, place) => {
    for (let line = 0; line < lines; line++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let at = line * lineStep + first * step;
      for (let i = 0; i < weights.length; i++, at += step) {
        const weight = weights[i];
        red += source[at] * weight;
        green += source[at + 1] * weight;
        blue += source[at + 2] * weight;
      }
      const out = line * outputLineStep + place * outputStep;
      // Uint8ClampedArray clips.
      output[out] = red >> BITS;
      output[out + 1] = green >> BITS;
      output[out + 2] = blue >> BITS;
      output[out + 3] = 255;
    }
  });
}

export function resizeWidth(source, width, height, newWidth) {
  if (newWidth === width) return source.slice(0, width * height * 4);
  const output = new Uint8ClampedArray(newWidth * height * 4);
  pass(source, taps(width, newWidth), height, [width * 4, 4], output, [newWidth * 4, 4]);
  return output;
}

export function resizeHeight(source, width, height, newHeight) {
  if (newHeight === height) return source.slice(0, width * height * 4);
  return heights(source, width, taps(height, newHeight));
}

function heights(source, width, tapsOfRows) {
  const output = new Uint8ClampedArray(width * tapsOfRows.length * 4);
  pass(source, tapsOfRows, width, [4, width * 4], output, [4, width * 4]);
  return output;
}

export function resize(source, width, height, newWidth, newHeight) {
  const narrow = resizeWidth(source, width, height, newWidth);
  return resizeHeight(narrow, newWidth, height, newHeight);
}

/** The rows `start` to `stop` of the resized image, from the rows of the source that they need. */
export function resizeRows(source, width, height, newWidth, newHeight, start, stop) {
  const row = width * 4;
  if (newHeight === height) {
    const part = source.subarray(start * row, stop * row);
    return resizeWidth(part, width, stop - start, newWidth);
  }
  const rows = taps(height, newHeight, start, stop);
  const first = rows[0].first;
  const last = Math.max(...rows.map(({ first, weights }) => first + weights.length));
  const part = source.subarray(first * row, last * row);
  const narrow = resizeWidth(part, width, last - first, newWidth);
  const moved = rows.map((tap) => ({ ...tap, first: tap.first - first }));
  return heights(narrow, newWidth, moved);
}
