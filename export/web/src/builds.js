// The builds of LiteRT.js's WebAssembly that the page is served with.

export const THREADED = 'litert_wasm_threaded_internal';
export const COMPATIBLE = 'litert_wasm_compat_internal';
