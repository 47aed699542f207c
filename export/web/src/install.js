// Caches the page for use without a network.

/** @param idle returns whether a reload would lose nothing. */
export async function install(idle) {
  if (!('serviceWorker' in navigator)) return;
  const had = navigator.serviceWorker.controller;
  try {
    await navigator.serviceWorker.register('sw.js', { updateViaCache: 'none' });
    await navigator.serviceWorker.ready;
  } catch (error) {
    console.warn(`Not cached for offline use: ${error.message}`);
    return;
  }
  document.documentElement.dataset.offline = 'ready';
  // Where the server does not isolate the page, the service worker does, from the next load on.
  if (!had && !self.crossOriginIsolated && idle()) location.reload();
}
