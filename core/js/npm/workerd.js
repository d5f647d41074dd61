// Workers compile WebAssembly when they are deployed: it is imported, as a module.

import module from "./paydown_bg.wasm";
import { initSync } from "./paydown.js";

initSync({ module });

export * from "./exports.js";
