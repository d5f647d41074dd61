// The world of the browser tests: the Worker and the bank simulator on the real runtime, on ports and a state of
// their own, with a book that has lived three weeks. All of it is stopped at the end.
//
// With PAYDOWN_URL set, what serves there is used as it is, and nothing is started or stopped.

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Api } from "./api";

const ROOT = join(__dirname, "../..");

/** Enough for three weekly installments, and for what failed to come back once. */
const DAYS = 22;

/** One account for each way that things go. */
const MARKERS = [
  "ok", "nsf1", "nsf3", "closed", "revoked", "fail", "silent", "return3", "badcredit", "badsilent", "refuse",
];

export default async function world(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.PAYDOWN_URL) return undefined;
  const { address, stop } = await serve(["--bank-port", `${await freePort()}`]);
  try {
    process.env.PAYDOWN_URL = address;
    await prepare(new Api(address));
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** A book that is served, and how to end it. */
export interface Book {
  address: string;
  stop: () => Promise<void>;
}

/** An empty book on a port and a state of its own, until it is stopped. */
export async function serve(flags: string[]): Promise<Book> {
  const port = await freePort();
  // Two test runs at once do not meet.
  const state = join(ROOT, `target/state/browser-${port}`);
  const child = start(["--port", `${port}`, "--state", state, ...flags]);
  const stop = async () => {
    await kill(child);
    rmSync(state, { recursive: true, force: true });
  };
  try {
    await ready(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `http://127.0.0.1:${port}`, stop };
}

/** `xtask dev` in a process group of its own, so that a kill reaches all of it. */
function start(flags: string[]): ChildProcess {
  const xtask = process.env.PAYDOWN_XTASK ?? join(ROOT, "target/debug/xtask");
  // The dashboard as it is deployed is split and small, and another build than the one that is tested otherwise.
  const released = process.env.PAYDOWN_RELEASED ? ["--released"] : [];
  const all = ["dev", "--prebuilt", "--fresh", ...released, ...flags];
  return spawn(xtask, all, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
}

/** Until it says that it serves; it ends before only when it cannot. */
async function ready(world: ChildProcess): Promise<void> {
  if (!world.stdout) throw new Error("the world's output is not to be read");
  for await (const line of createInterface({ input: world.stdout })) {
    if (line.startsWith("ready ")) return;
  }
  throw new Error("the world does not serve");
}

/** Pays an advance out for each marker, and lives the days. */
async function prepare(api: Api): Promise<void> {
  // The first run makes the book's time that of the world.
  await api.live(1);
  for (const [place, marker] of MARKERS.entries()) {
    const amount = 60_000 + place * 7_577;
    await api.payOut(`world_${marker}`, { amount, fee: place * 100, installments: 3, interval_days: 7 });
  }
  await api.live(7);
  await api.payOut("world_ok_long", { amount: 240_000, installments: 12, interval_days: 7 });
  await api.live(DAYS - 8);
  await api.payOut("world_ok_new", { amount: 50_000, installments: 4, interval_days: 7 });
}

async function kill(world: ChildProcess): Promise<void> {
  if (world.pid === undefined || world.exitCode !== null || world.signalCode !== null) return;
  const gone = new Promise((resolve) => world.once("exit", resolve));
  process.kill(-world.pid, "SIGKILL");
  await gone;
}

/** A port that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
