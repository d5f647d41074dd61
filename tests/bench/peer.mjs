// The peer: a service in FastAPI and a daily job in pandas over one SQLite, each in a process of its own.

import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { addKey, freePort, migrate, own, withoutChecks } from "./runtime.mjs";

/** Starts it over a copy of `ledger`, or over an empty one; `python` is that of its environment. */
export const fastapi = async ({ python, state, processor, ledger }) => {
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  const file = join(state, "ledger.sqlite");
  if (ledger) copyFileSync(ledger, file);
  const database = new DatabaseSync(file);
  if (!ledger) migrate(database);
  addKey(database);
  withoutChecks(database);
  database.close();

  const port = await freePort();
  const env = { ...process.env, LEDGER: file, ARCHIVE: state, PROCESSOR_URL: processor, PROCESSOR_TOKEN: "local-processor-token" };
  const folder = join(own, "fastapi");
  const service = spawn(python, ["-m", "uvicorn", "service:app", "--port", `${port}`, "--no-access-log", "--log-level", "warning"],
    { cwd: folder, env, stdio: ["ignore", "inherit", "inherit"] });
  const address = `http://127.0.0.1:${port}`;
  while (!await fetch(`${address}/openapi.json`).then(({ ok }) => ok, () => false)) {
    if (service.exitCode !== null) throw new Error("the FastAPI service did not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const job = async (asOf) => {
    const { stdout } = await promisify(execFile)(python, [join(folder, "daily.py"), asOf.toISOString()], { env });
    return Number(stdout.trim());
  };
  return {
    name: "fastapi", address, file, daily: job,
    ledger: () => new DatabaseSync(file, { readOnly: true }), stop: () => service.kill(),
  };
};
