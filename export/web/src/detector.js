// Decodes what MediaPipe's full-range face detector computes: an image of 192x192 pixels in, 48x48
// cells out, each with a box, six landmarks and a score.

/** Side of its input in pixels, RGB in [-1, 1]. */
export const INPUT = 192;

const CELLS = 48;
// Numbers of a cell: the box's centre and size, then the landmarks: the eyes, the nose, the mouth
// and the ears, left before right as the viewer sees them.
const NUMBERS = 16;
const LANDMARKS = 6;

// Boxes that share more, as a part of the smaller one, are one face.
const SAME_FACE = 0.5;
// Of those, boxes of about this size are averaged: others show a part of the face.
const SAME_SIZE = 1.35;

/**
 * The faces in the output of the detector, before duplicates are merged: {confidence, box, points},
 * the box [x, y, width, height] and the points [x, y] as parts of the input's side.
 *
 * @param least confidence.
 */
export function decode(numbers, scores, least) {
  const faces = [];
  scores.forEach((score, cell) => {
    const confidence = 1 / (1 + Math.exp(-score));
    if (!(confidence >= least)) return;
    const cellX = ((cell % CELLS) + 0.5) / CELLS;
    const cellY = (Math.floor(cell / CELLS) + 0.5) / CELLS;
    const value = (i) => numbers[cell * NUMBERS + i] / INPUT;
    const [width, height] = [value(2), value(3)];
    faces.push({
      confidence,
      box: [cellX + value(0) - width / 2, cellY + value(1) - height / 2, width, height],
      points: Array.from({ length: LANDMARKS }, (_, i) => [
        cellX + value(4 + 2 * i),
        cellY + value(5 + 2 * i),
      ]),
    });
  });
  return faces;
}

/** One face of each group of overlapping ones: their mean, weighted by confidence. */
export function merge(faces) {
  const groups = [];
  for (const face of [...faces].sort((a, b) => b.confidence - a.confidence)) {
    const group = groups.find(([best]) => shared(best.box, face.box) >= SAME_FACE);
    if (!group) groups.push([face]);
    else if (alike(group[0].box[2], face.box[2])) group.push(face);
  }
  return groups.map(mean);
}

/** The same faces after scaling and then moving what they were found in. */
export function moved(faces, scale, left, top) {
  return faces.map(({ confidence, box: [x, y, width, height], points }) => ({
    confidence,
    box: [x * scale + left, y * scale + top, width * scale, height * scale],
    points: points.map((point) => [point[0] * scale + left, point[1] * scale + top]),
  }));
}

function alike(first, second) {
  return Math.max(first / second, second / first) <= SAME_SIZE;
}

function mean(group) {
  const total = group.reduce((sum, { confidence }) => sum + confidence, 0);
  const average = (pick) =>
    group.reduce((sum, face) => sum + (face.confidence / total) * pick(face), 0);
  return {
    confidence: group[0].confidence,
    box: group[0].box.map((_, i) => average(({ box }) => box[i])),
    points: group[0].points.map((point, i) =>
      point.map((_, axis) => average(({ points }) => points[i][axis])),
    ),
  };
}

/** The area that two boxes share, as a part of the smaller one. */
export function shared(first, second) {
  const [width, height] = [0, 1].map(
    (axis) =>
      Math.min(first[axis] + first[axis + 2], second[axis] + second[axis + 2]) -
      Math.max(first[axis], second[axis]),
  );
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / Math.min(first[2] * first[3], second[2] * second[3]);
}
