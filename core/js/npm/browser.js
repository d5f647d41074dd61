// Browsers, and all that has fetch for the address of a module.

import init from "./paydown.js";

await init({ module_or_path: new URL("./paydown_bg.wasm", import.meta.url) });

export * from "./exports.js";
