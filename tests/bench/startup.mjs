// How large the Worker is, and what its start takes of the processor: its code compiled and its first lines run, in the engine
// that the Workers runtime has, each time in a process that has seen neither.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { median } from "./load.mjs";
import { root } from "./runtime.mjs";

const built = join(root, "edge/build-release");

export const startup = async ({ rounds }) => {
  const code = readFileSync(join(built, "index_bg.wasm"));
  const all = Buffer.concat([code, readFileSync(join(built, "index.js"))]);
  const seen = [];
  for (let round = 0; round < rounds; round += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url)]);
    seen.push(JSON.parse(stdout));
  }
  const of = (figure) => median(seen.map((one) => one[figure]));
  return {
    bytes: code.length, gzipped: gzipSync(all, { level: 9 }).length,
    compile: of("compile"), start: of("start"), milliseconds: of("compile") + of("start"),
  };
};

/** Milliseconds of the processor that something takes. */
const taken = async (work) => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

/** Starts the Worker in this process, as the runtime would. */
const once = async () => {
  const code = readFileSync(join(built, "index_bg.wasm"));
  const sources = {
    "cloudflare:workers": "export class WorkerEntrypoint {} export class DurableObject {}",
    "./index_bg.wasm": "export default globalThis.compiled;",
  };
  registerHooks({
    resolve: (name, context, next) => sources[name] ? { url: `start:${name}`, shortCircuit: true } : next(name, context),
    load: (url, context, next) => {
      const source = sources[url.replace("start:", "")];
      return source ? { format: "module", source, shortCircuit: true } : next(url, context);
    },
  });
  globalThis.addEventListener = () => {};
  const compile = await taken(() => { globalThis.compiled = new WebAssembly.Module(code); });
  const start = await taken(() => import(join(built, "index.js")));
  process.stdout.write(JSON.stringify({ compile, start }));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await once();
