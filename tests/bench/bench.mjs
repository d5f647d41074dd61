// What runs on the Workers runtime and in Node: `node bench.mjs WORKLOAD OPTIONS`, the options as JSON. What was measured
// goes into the file `into`, progress to the standard output.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { advances } from "./advances.mjs";
import { code } from "./code.mjs";
import { counts, daily } from "./daily.mjs";
import { page } from "./page.mjs";
import { parser } from "./parser.mjs";
import { own } from "./runtime.mjs";
import { startup } from "./startup.mjs";

const workloads = { advances, code, daily, counts, page, parser, startup };

/** The processor in a process of its own: its address, and how it ends. */
const processor = async () => {
  const child = spawn(process.execPath, [join(own, "processor.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(child.stdout, "data");
  return { address: `http://127.0.0.1:${`${port}`.trim()}`, stop: () => child.kill() };
};

const [workload, text] = process.argv.slice(2);
const { into, ...options } = JSON.parse(text);
const { address, stop } = await processor();
try {
  const measured = await workloads[workload]({ ...options, processor: address });
  writeFileSync(into, JSON.stringify(measured));
} finally {
  stop();
}
process.exit();
