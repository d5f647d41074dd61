// What the package exports, wherever its WebAssembly comes from.

export { apply, coveredFrom, decide, parseReport, plan, statusOf } from "./paydown.js";
export { PaydownError } from "./error.js";
