// How large piles of the Worker's code are, each gzipped by itself.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

export const code = ({ files }) =>
  Object.fromEntries(files.map(({ pile, file }) => [pile, gzipSync(readFileSync(file), { level: 9 }).length]));
