// The contestants on the Workers runtime: workerd as Miniflare starts it, each Worker on a socket of its own, so that no
// proxy stands before it. All are in one process, and who is idle does not use it.

import { createHash, createHmac } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

export const own = dirname(fileURLToPath(import.meta.url));
export const root = join(own, "../..");

/** The API key that each ledger holds, with all scopes. */
export const KEY = "pd_local_operator";

/** A Worker in Rust as its build bundled it. */
const bundled = (built) => {
  const module = (path) => ({ type: path.endsWith(".wasm") ? "CompiledWasm" : "ESModule", path });
  const files = readdirSync(built).filter((file) => /\.(js|wasm)$/.test(file)).map((file) => join(built, file));
  return { modulesRoot: built, modules: [join(built, "worker/shim.mjs"), ...files].map(module) };
};

/** The Worker as it is deployed, behind its front. */
const paydown = (isCounted) => {
  const built = join(root, "edge/build-release");
  const front = {
    type: "ESModule", path: join(built, "worker/front.mjs"), contents: readFileSync(join(own, "front.mjs"), "utf8"),
  };
  const { modulesRoot, modules } = bundled(built);
  return {
    modulesRoot,
    modules: [front, ...modules],
    queueProducers: { RUNS: "runs", OUTBOX: "outbox", INTAKE_QUEUE: "intake", WEBHOOKS: "webhooks" },
    queueConsumers: { runs: { maxBatchSize: 1, maxBatchTimeout: 0, maxRetries: 5 } },
    bindings: isCounted ? { COUNTED: "yes" } : {},
  };
};

/** The dashboard as it is deployed. */
const dashboard = {
  assets: {
    directory: join(root, "target/dashboard"),
    run_worker_first: ["/v1/*", "/healthz"],
    routerConfig: { has_user_worker: true },
    assetConfig: { not_found_handling: "single-page-application" },
  },
};

const byHand = (file, bindings) => () => ({
  modulesRoot: join(own, "floor"),
  modules: [file, "processor.mjs"].map((file) => ({ type: "ESModule", path: join(own, "floor", file) })),
  bindings: bindings?.(),
});

/** The statement by which Paydown reads all facts of credits. */
const facts = () => {
  const source = readFileSync(join(root, "edge/src/ledger/facts.rs"), "utf8");
  const statement = source.slice(source.indexOf("SELECT json_object("), source.indexOf('",\n            $wanted'));
  return { FACTS: `${statement.replaceAll('\\"', '"')} c.id = wanted.value` };
};

/** The least Worker in Rust. */
const least = (bindings) => () => ({ ...bundled(join(own, "least/build")), bindings });

const code = {
  paydown,
  floor: byHand("worker.mjs"),
  lawful: byHand("worker.mjs", facts),
  bare: byHand("bare.mjs"),
  least: least(),
  logged: least({ LOG: "yes" }),
};

/** Who works over the ledger's tables as they are, with the triggers that check. */
const CHECKED = ["paydown", "logged"];

/** Starts Workers by their names, each over a ledger of its own: a copy of `ledger`, or an empty one. */
export const start = async (names, { state, processor, ledger, variables = {}, counted = false, assets = false }) => {
  rmSync(state, { recursive: true, force: true });
  const files = names.map((name) => place(state, name, ledger));
  const ports = await Promise.all(names.map(freePort));
  const workers = names.map((name, at) => ({
    name,
    compatibilityDate: "2026-11-01",
    d1Databases: { DB: name },
    r2Buckets: { REPORTS: name },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: ports[at] }],
    ...withBindings(code[name](counted), { PROCESSOR_URL: processor, PROCESSOR_TOKEN: "local-processor-token", ...variables }),
    ...assets && dashboard,
  }));
  const runtime = new Miniflare(convertV4MiniflareOptions({
    workers,
    resourcePersistencePath: state,
    cf: false,
    log: new Log(LogLevel.ERROR),
    // What the Workers write to their logs is read, as it is by the platform, and dropped.
    handleStructuredLogs: () => {},
  }));
  await runtime.ready;
  const contestants = names.map((name, at) => ({
    name,
    address: `http://127.0.0.1:${ports[at]}`,
    daily: async (asOf) => (await runtime.getWorker(name)).scheduled({ cron: "0 6 * * *", scheduledTime: asOf }),
    ledger: () => new DatabaseSync(files[at], { readOnly: true }),
    file: files[at],
  }));
  const address = async () => `${await runtime.ready}`.replace(/\/$/, "");
  return { contestants, address, stop: () => runtime.dispose() };
};

const withBindings = (worker, bindings) => ({ ...worker, bindings: { ...bindings, ...worker.bindings } });

/** Puts a ledger where D1 looks for the one of a Worker. */
const place = (state, name, ledger) => {
  const folder = join(state, "d1/miniflare-D1DatabaseObject");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${objectId("miniflare-D1DatabaseObject", name)}.sqlite`);
  if (ledger) {
    copyFileSync(ledger, file);
  }
  const database = new DatabaseSync(file);
  if (!ledger) {
    migrate(database);
  }
  addKey(database);
  if (!CHECKED.includes(name)) {
    withoutChecks(database);
  }
  database.close();
  return file;
};

/** Makes the tables of the ledger. */
export const migrate = (database) => {
  const migrations = join(root, "edge/migrations");
  readdirSync(migrations).sort().forEach((file) => database.exec(readFileSync(join(migrations, file), "utf8")));
};

/** Adds the key by which all requests come. */
export const addKey = (database) => {
  const hash = createHash("sha256").update(KEY).digest("hex");
  database.exec(`INSERT INTO api_keys (id, hash, label, scopes, created_at) VALUES
    ('00000000-0000-8000-8000-000000000001', '${hash}', 'local operator', '["read","advance","operate","admin"]', '2026-01-01T00:00:00Z')
    ON CONFLICT DO NOTHING`);
};

/** The floor's tables are the ledger's, without the triggers that check; those that write stay. */
export const withoutChecks = (database) => {
  const triggers = database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%|_no|_%' ESCAPE '|'").all();
  triggers.forEach(({ name }) => database.exec(`DROP TRIGGER ${name}`));
};

/** The id that the runtime gives a named object, by which its file is called. */
const objectId = (namespace, name) => {
  const key = createHash("sha256").update(namespace).digest();
  const half = (data) => createHmac("sha256", key).update(data).digest().subarray(0, 16);
  const first = half(name);
  return Buffer.concat([first, half(first)]).toString("hex");
};

/** A port that nobody listens on. */
export const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
