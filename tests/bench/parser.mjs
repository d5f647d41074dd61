// The report's parser as WebAssembly, in the engine of the Workers runtime.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const ROUNDS = 5;

/** So many bytes at once: what a Worker has room for. */
const BYTES = 32 << 20;

/** How many seconds the fastest of some rounds takes to read the report, and to count its lines. */
export const parser = ({ report, module }) => {
  const { rows, lines } = createRequire(import.meta.url)(module);
  const bytes = readFileSync(report);
  const parts = divided(bytes);
  const all = (work) => parts.reduce((sum, part) => sum + work(part), 0);
  return { bytes: bytes.length, parse: fastest(() => all(rows)), lines: fastest(() => all(lines)) };
};

/** Parts of whole rows, each with the header. */
const divided = (bytes) => {
  const header = bytes.subarray(0, bytes.indexOf("\n") + 1);
  const parts = [];
  for (let from = header.length; from < bytes.length;) {
    const end = from + BYTES < bytes.length ? bytes.lastIndexOf("\n", from + BYTES) + 1 : bytes.length;
    parts.push(Buffer.concat([header, bytes.subarray(from, end)]));
    from = end;
  }
  return parts;
};

const fastest = (work) => {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const at = performance.now();
    work();
    least = Math.min(least, (performance.now() - at) / 1000);
  }
  return least;
};
