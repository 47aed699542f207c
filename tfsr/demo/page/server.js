// What the server is asked for beside tiles.

import { failure } from './tiles.js';

const given = (strength) => (strength == null ? {} : { strength });

async function get(address, options) {
  const response = await fetch(address, options);
  if (!response.ok) throw await failure(response);
  return response;
}

export async function settings() {
  return (await get('settings')).json();
}

/** Send an image; returns {id, width, height, notes}. */
export async function send(file, signal) {
  const query = new URLSearchParams({ name: file.name });
  const headers = { 'Content-Type': 'application/octet-stream' };
  return (await get(`images?${query}`, { method: 'POST', headers, body: file, signal })).json();
}

/** Find the faces of an image; returns {faces, parts, whole, note, reduces}. */
export async function findFaces(id, strength, signal) {
  const query = new URLSearchParams(given(strength));
  return (await get(`images/${id}/faces?${query}`, { signal })).json();
}

/** Encode a part of an image for an output of a size, so that its tiles come fast. */
export function encode(id, part, { width, height }, strength, signal) {
  const query = new URLSearchParams({ width, height, ...given(strength) });
  return get(`images/${id}/parts/${part}?${query}`, { signal });
}

/** The whole output at a scale, the same as that of `tfsr upscale`: a PNG file. */
export async function whole(id, scale, strength, signal) {
  const query = new URLSearchParams({ scale, ...given(strength) });
  return (await get(`images/${id}/whole?${query}`, { signal })).blob();
}
