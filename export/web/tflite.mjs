// Reads from a .tflite file what the page must know: the shapes and types of input and output.

// What LiteRT.js takes, by the numbers that the format gives them.
const TYPES = { 0: 'float32', 3: 'uint8' };

/** A table of a FlatBuffer: the place of a field's value, or null where it is left out. */
class Table {
  constructor(view, at) {
    this.view = view;
    this.at = at;
    this.fields = at - view.getInt32(at, true);
  }

  place(index) {
    const entry = 4 + 2 * index;
    if (entry >= this.view.getUint16(this.fields, true)) return null;
    const offset = this.view.getUint16(this.fields + entry, true);
    return offset ? this.at + offset : null;
  }

  follow(place) {
    return place + this.view.getUint32(place, true);
  }

  /** The places of a vector's elements, which are 4 bytes each. */
  vector(index) {
    const place = this.place(index);
    if (place === null) return [];
    const start = this.follow(place);
    const length = this.view.getUint32(start, true);
    return Array.from({ length }, (_, i) => start + 4 + 4 * i);
  }

  tables(index) {
    return this.vector(index).map((place) => new Table(this.view, this.follow(place)));
  }

  integers(index) {
    return this.vector(index).map((place) => this.view.getInt32(place, true));
  }

  byte(index) {
    const place = this.place(index);
    return place === null ? 0 : this.view.getInt8(place);
  }
}

function describe(tensor) {
  return { shape: tensor.integers(0), type: TYPES[tensor.byte(1)] ?? 'another' };
}

/** {inputs, outputs} of the first subgraph, each a list of {shape, type}. */
export function signature(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || String.fromCharCode(...bytes.subarray(4, 8)) !== 'TFL3') {
    throw new Error('not a .tflite file');
  }
  const model = new Table(view, view.getUint32(0, true));
  const [graph] = model.tables(2);
  const tensors = graph.tables(0);
  return {
    inputs: graph.integers(1).map((i) => describe(tensors[i])),
    outputs: graph.integers(2).map((i) => describe(tensors[i])),
  };
}

/** {lr, sr}: the sides of a super-resolution model's square input and output. */
export function sides(bytes) {
  const { inputs, outputs } = signature(bytes);
  const [lr, sr] = [inputs, outputs].map((list) => {
    const [{ shape, type }] = list;
    const [batch, height, width, channels] = shape;
    const square = batch === 1 && height === width && height > 0 && channels === 3;
    if (list.length !== 1 || shape.length !== 4 || !square || type === 'another') {
      const found = JSON.stringify({ inputs, outputs });
      throw new Error(`needs one (1, n, n, 3) in and one out, float32 or uint8; found ${found}`);
    }
    return height;
  });
  return { lr, sr };
}
