// The crop as numbers: {x, y, side} in whole pixels of the image, always inside it.

const SMALLEST = 16;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export function fit({ x, y, side }, width, height) {
  const longest = Math.min(width, height);
  const whole = clamp(Math.round(side), Math.min(SMALLEST, longest), longest);
  return {
    x: clamp(Math.round(x), 0, width - whole),
    y: clamp(Math.round(y), 0, height - whole),
    side: whole,
  };
}

/** The whole of a square image; of another, its middle, a little above for portraits. */
export function first(width, height) {
  const longest = Math.min(width, height);
  const wanted = { x: 0, y: 0, side: width === height ? longest : 0.7 * longest };
  const { side } = fit(wanted, width, height);
  return fit({ x: (width - side) / 2, y: (height - side) / 3, side }, width, height);
}

export function move(square, dx, dy, width, height) {
  return fit({ ...square, x: square.x + dx, y: square.y + dy }, width, height);
}

/** Move the corner (left or right, top or bottom); the opposite corner stays. */
export function stretch(square, corner, dx, dy, width, height) {
  const right = square.x + square.side;
  const bottom = square.y + square.side;
  const grow = ((corner.left ? -dx : dx) + (corner.top ? -dy : dy)) / 2;
  const maxSide = Math.min(
    corner.left ? right : width - square.x,
    corner.top ? bottom : height - square.y,
  );
  const side = clamp(Math.round(square.side + grow), Math.min(SMALLEST, maxSide), maxSide);
  return {
    x: corner.left ? right - side : square.x,
    y: corner.top ? bottom - side : square.y,
    side,
  };
}

/** Grow or shrink about the middle. */
export function zoom(square, change, width, height) {
  const side = square.side + change;
  return fit({ x: square.x - change / 2, y: square.y - change / 2, side }, width, height);
}
