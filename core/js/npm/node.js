// Node: its fetch knows no files.

import { readFileSync } from "node:fs";
import { initSync } from "./paydown.js";

initSync({ module: readFileSync(new URL("./paydown_bg.wasm", import.meta.url)) });

export * from "./exports.js";
