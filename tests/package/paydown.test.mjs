// The JavaScript package in Node and in the Workers runtime, as it was built.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as paydown from "../../core/js/build/node.js";
import { checkPlans, checkScenarios, facts as advanced } from "./vectors.mjs";

const { PaydownError, apply, coveredFrom, decide, parseReport, plan, statusOf } = paydown;
const own = dirname(fileURLToPath(import.meta.url));
const root = join(own, "../..");
const built = join(root, "core/js/build");
const vectors = (file) => JSON.parse(readFileSync(join(process.env.PAYDOWN_VECTORS ?? join(root, "tests/vectors"), file)));

const facts = () => advanced({
  id: "0197e4a0-0000-7000-8000-000000000001",
  terms: { amount: 100_000, fee: 0, installments: 2, interval_days: 7 },
  created_at: "2026-01-05T15:00:00Z",
  transaction_id: "tx_1",
});

/** A credit whose advance succeeded, planned on the 6th. */
const planned = () => {
  const confirmed = facts();
  const { id: subject } = confirmed;
  confirmed.observations.push(
    { subject, source: "report", status: "success", code: null, at: "2026-01-05T22:00:00Z" });
  const as_of = "2026-01-06T06:00:00Z";
  return apply(confirmed, decide(confirmed, { input: "words", covered_from: null }, { as_of }), as_of);
};

const refused = (code, path, call) => {
  assert.throws(call, (error) => {
    assert.ok(error instanceof PaydownError && error instanceof Error, `${error}`);
    assert.deepEqual([error.name, error.code, error.path], ["PaydownError", code, path], error.message);
    assert.ok(error.message.startsWith(`${path}: `), error.message);
    return true;
  });
};

test("the plans of the vectors", () => {
  const agreed = checkPlans(paydown, vectors("plans.json"));
  assert.ok(agreed > 0);
  console.log(`figures: ${agreed} plans agree in Node ${process.versions.node}`);
});

test("the scenarios of the vectors", () => {
  const { scenarios, runs } = checkScenarios(paydown, vectors("scenarios.json"));
  assert.ok(scenarios > 0 && runs > 0);
  console.log(`figures: ${scenarios} scenarios over ${runs} runs agree in Node ${process.versions.node}`);
});

test("a vector that disagrees is seen", () => {
  const { plans } = vectors("plans.json");
  const [first] = structuredClone(plans);
  first.expect[0].amount += 1;
  assert.throws(() => checkPlans(paydown, { plans: [first] }), /plan 0/);
  const [scenario] = structuredClone(vectors("scenarios.json").scenarios);
  scenario.runs.at(-1).after[1] += 1;
  assert.throws(() => checkScenarios(paydown, { scenarios: [scenario] }), /after the run of/);
});

test("the README's example prints what the README says", async () => {
  const folder = join(root, "target/package");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(built, join(folder, "node_modules/paydown"));
  const readme = readFileSync(join(root, "core/js/README.md"), "utf8");
  const block = (language) => readme.split(`\`\`\`${language}\n`)[1].split("```")[0];
  const example = join(folder, "example.mjs");
  writeFileSync(example, block("js"));
  const { stdout } = await promisify(execFile)(process.execPath, [example]);
  assert.equal(stdout, block("text"));
});

test("in the Workers runtime the vectors agree too", async () => {
  const folder = join(root, "target/package/worker");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { plans } = vectors("plans.json");
  const scenarios = vectors("scenarios.json").scenarios.slice(0, 5);
  const files = {
    "worker.js": `
      import * as paydown from "./workerd.js";
      import { checkPlans, checkScenarios } from "./vectors.mjs";
      import vectors from "./vectors.json";
      export default {
        test() {
          console.log(JSON.stringify([checkPlans(paydown, vectors), checkScenarios(paydown, vectors).scenarios]));
        },
      };`,
    "vectors.mjs": readFileSync(join(own, "vectors.mjs")),
    "vectors.json": JSON.stringify({ plans, scenarios }),
  };
  for (const file of ["workerd.js", "exports.js", "error.js", "paydown.js", "paydown_bg.wasm"]) {
    files[file] = readFileSync(join(built, file));
  }
  const kinds = { js: "esModule", mjs: "esModule", json: "json", wasm: "wasm" };
  const modules = Object.keys(files).map((file) =>
    `(name = "${file}", ${kinds[file.split(".").at(-1)]} = embed "${file}")`);
  files["config.capnp"] = `
    using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (services = [(name = "main", worker = .worker)]);
    const worker :Workerd.Worker = (compatibilityDate = "2026-01-01", modules = [${modules.join(", ")}]);`;
  for (const [file, contents] of Object.entries(files)) writeFileSync(join(folder, file), contents);
  const workerd = join(root, "node_modules/.bin/workerd");
  const { stdout } = await promisify(execFile)(process.execPath, [workerd, "test", join(folder, "config.capnp")]);
  assert.equal(stdout.trim(), JSON.stringify([plans.length, scenarios.length]));
  console.log(`figures: ${plans.length} plans and ${scenarios.length} scenarios agree in the Workers runtime`);
});

test("amounts are exact up to 2^53 - 1, and refused beyond", () => {
  const start_date = "2026-01-05";
  const { total, installments } = plan({ amount: Number.MAX_SAFE_INTEGER, installments: 2, start_date });
  assert.equal(total, Number.MAX_SAFE_INTEGER);
  assert.deepEqual(installments.map(({ amount }) => amount), [4503599627370496, 4503599627370495]);
  for (const amount of [2 ** 53, -1, 0.5, NaN, Infinity, "100", null, undefined, {}, 2n ** 53n, 2n ** 64n]) {
    refused("bad_input", "request.amount", () => plan({ amount, start_date }));
  }
  refused("bad_terms", "request", () => plan({ amount: Number.MAX_SAFE_INTEGER, fee: 1, start_date }));
  // Three debits collected of all that can be written: their sum cannot be.
  const rich = planned();
  const [debit] = rich.debits;
  rich.debits = [1, 2, 3].map((sequence) => ({
    ...debit,
    id: `0197e4a0-0000-7000-8000-10000000000${sequence}`,
    sequence,
    amount: Number.MAX_SAFE_INTEGER,
    submitted_at: "2026-01-12T06:00:00Z",
  }));
  rich.words.push(...rich.debits.map(({ id }) =>
    ({ subject: id, outcome: "success", code: null, at: "2026-01-13T06:00:00Z" })));
  refused("out_of_range", "the result", () => statusOf(rich));
});

test("terms that no credit can have are refused", () => {
  const start_date = "2026-01-05";
  const unfit = [
    { amount: 0 },
    { amount: 100, fee: 101 },
    { amount: 11 },
    { amount: 1000, installments: 0 },
    { amount: 1000, installments: 105 },
    { amount: 1000, installments: 2 ** 32 - 1 },
    { amount: 1000, interval_days: 0 },
    { amount: 1000, interval_days: 93 },
  ];
  for (const terms of unfit) refused("bad_terms", "request", () => plan({ ...terms, start_date }));
  const credit = facts();
  credit.terms.installments = 2 ** 32 - 1;
  refused("bad_terms", "facts.terms", () => statusOf(credit));
});

test("what has another shape is refused, with its place", () => {
  const as_of = "2026-01-06T06:00:00Z";
  const start_date = "2026-01-05";
  for (const request of [undefined, null, 1, "plan", [], Symbol("plan"), () => {}]) {
    assert.throws(() => plan(request), PaydownError);
  }
  refused("bad_input", "request.start_date", () => plan({ amount: 1000, start_date: "2026-02-30" }));
  refused("bad_input", "request", () => plan({ amount: 1000, instalments: 4, start_date }));
  refused("bad_input", "facts.debits[1].amount", () => {
    const wrong = planned();
    wrong.debits[1].amount = -1;
    statusOf(wrong);
  });
  refused("bad_input", "input", () => decide(facts(), { input: "guess" }, { as_of }));
  refused("bad_input", "context.as_of", () => decide(facts(), { input: "issue" }, { as_of: "yesterday" }));
  refused("bad_input", "context", () => decide(facts(), { input: "issue" }, { as_of, polcy: {} }));
  refused("bad_input", "bytes", () => parseReport("transaction_id,status,code,at\n"));
  refused("bad_input", "options.download_at", () => parseReport(new Uint8Array(), { download_at: 5 }));
  refused("bad_input", "reports[0].window_days", () => coveredFrom([{ read_at: as_of, window_days: 1.5 }]));
});

test("what holds itself, or is nested without end, is refused", () => {
  const itself = { input: "issue" };
  itself.itself = [itself, itself];
  refused("bad_input", "input", () => decide(facts(), itself, { as_of: "2026-01-06T06:00:00Z" }));
  let deep = {};
  for (let i = 0; i < 100_000; i += 1) deep = { deep };
  refused("bad_input", "input", () => decide(facts(), { input: "issue", deep }, { as_of: "2026-01-06T06:00:00Z" }));
});

test("no place of the facts can be wrong in a way that breaks off", () => {
  const values = [undefined, null, true, -1, 0, 0.5, 2 ** 32, 2 ** 53, 1n, "", "x", "9".repeat(300), [], [[]], {},
    Symbol("x"), "+262142-12-31", "-262143-01-01", "+262142-12-31T23:59:59Z", "-262143-01-01T00:00:00Z"];
  let [taken, thrown] = [0, 0];
  for (const path of places(planned())) {
    for (const value of values) {
      const wrong = set(planned(), path, value);
      const context = { as_of: "2026-01-13T06:00:00Z" };
      const calls = [
        () => decide(wrong, { input: "words", covered_from: "2026-01-05T00:00:00Z" }, context),
        () => decide(wrong, { input: "issue" }, context),
        () => decide(wrong, { input: "pause", intervals: 2 ** 32 - 1 }, context),
        () => decide(wrong, { input: "external_payment", id: wrong.id, amount: 1, received_on: "2026-01-13" }, context),
        () => statusOf(wrong),
      ];
      for (const call of calls) {
        try {
          call();
          taken += 1;
        } catch (error) {
          assert.ok(error instanceof PaydownError, `${path.join(".")} = ${String(value)}: ${error}`);
          thrown += 1;
        }
      }
    }
  }
  assert.ok(taken > 100 && thrown > 1000, `${taken} taken, ${thrown} refused`);
  assert.equal(statusOf(planned()).credit.status, "active");
});

/** Every place in a value, as the names that lead there. */
function places(value, path = []) {
  if (value === null || typeof value !== "object") return [path];
  const below = Object.keys(value).flatMap((name) => places(value[name], [...path, name]));
  return [...(path.length ? [path] : []), ...below];
}

function set(whole, path, value) {
  const last = path.at(-1);
  path.slice(0, -1).reduce((part, name) => part[name], whole)[last] = value;
  return whole;
}

test("no argument is changed, and a stale decision is refused", () => {
  const before = planned();
  const copy = structuredClone(before);
  const as_of = "2026-01-12T06:00:00Z";
  const decision = decide(before, { input: "issue" }, { as_of });
  const after = apply(before, decision, as_of);
  assert.deepEqual(before, copy);
  assert.deepEqual([before.turn, after.turn], [1, 2]);
  refused("stale_decision", "decision.turn", () => apply(after, decision, as_of));
});

test("each act of an operator is an input", () => {
  const as_of = "2026-01-08T06:00:00Z";
  const after = (facts, input) => apply(facts, decide(facts, input, { as_of }), as_of);
  const payment = { input: "external_payment", id: "0197e4a0-0000-7000-8000-0000000000aa", amount: 60_000,
    received_on: "2026-01-07" };
  const paid = after(planned(), payment);
  const shown = (facts) => {
    const { status, paid, scheduled, missing } = statusOf(facts).credit;
    return [status, paid, scheduled, missing];
  };
  assert.deepEqual(shown(paid), ["active", 60_000, 40_000, 0]);
  assert.deepEqual(shown(after(paid, { input: "revoke", payment_id: payment.id })), ["active", 0, 100_000, 0]);
  assert.deepEqual(shown(after(paid, { input: "hold" })), ["held", 60_000, 40_000, 0]);
  assert.deepEqual(shown(after(paid, { input: "write_off" })), ["written_off", 60_000, 0, 40_000]);
  assert.equal(statusOf(after(paid, { input: "pause", intervals: 1 })).credit.next_due_date, "2026-01-19");
  assert.equal(statusOf(after(paid, { input: "pay_off" })).credit.next_due_date, "2026-01-08");
});

test("due dates roll onto banking days when that is asked for", () => {
  const request = { amount: 30_000, installments: 3, start_date: "2026-01-05" };
  const dates = (asked) => plan(asked).installments.map(({ due_date }) => due_date);
  assert.deepEqual(dates(request), ["2026-01-12", "2026-01-19", "2026-01-26"]);
  const rolled = { ...request, due_date_roll: "following" };
  assert.deepEqual(dates(rolled), ["2026-01-12", "2026-01-20", "2026-01-26"]);
  assert.equal(plan(rolled).installments[1].unrolled_due_date, "2026-01-19");
  refused("bad_input", "request.due_date_roll", () => plan({ ...request, due_date_roll: "preceding" }));

  const policy = {
    timeout_days: 5, timeout_limit: 3, retryable_presentments: 3, retryable_days: 180, no_code_presentments: 6,
    key_days: null, due_date_roll: "following",
  };
  // Paid off on the Saturday before Martin Luther King's day.
  const as_of = "2026-01-17T06:00:00Z";
  const paid_off = (context) => {
    const decided = decide(planned(), { input: "pay_off" }, context).facts;
    return decided.find(({ fact }) => fact === "debit").due_date;
  };
  assert.equal(paid_off({ as_of, policy }), "2026-01-20");
  assert.equal(paid_off({ as_of }), "2026-01-17");
});

test("the business date follows the offsets, in any order", () => {
  const offsets = [["2026-03-08T07:00:00Z", -4 * 3600], ["2025-11-02T06:00:00Z", -5 * 3600]];
  // Half past one in the night of the due date in UTC is the evening before in New York.
  const as_of = "2026-01-12T01:30:00Z";
  assert.equal(decide(planned(), { input: "issue" }, { as_of }).effects.length, 1);
  assert.equal(decide(planned(), { input: "issue" }, { as_of, offsets }).effects.length, 0);
});

test("coverage is the same in any order of the reports", () => {
  const report = (day) => ({ read_at: `2026-01-${day}T06:00:00Z`, window_days: 5 });
  assert.equal(coveredFrom([]), null);
  for (const days of [["04", "10", "15"], ["15", "04", "10"], ["10", "15", "04"]]) {
    assert.equal(coveredFrom(days.map(report)), "2026-01-05T06:00:00Z", days.join());
  }
});

test("a report is read whatever carries its bytes and however long it is", () => {
  const row = (number) => `tx_${number},success,,2026-01-05T06:00:00Z\n`;
  const count = 60_000;
  const lines = Array.from({ length: count }, (_, number) => row(number));
  const bytes = new TextEncoder().encode(`transaction_id,status,code,at\n${lines.join("")}`);
  assert.ok(bytes.length > 2 * 2 ** 20, "longer than what is taken at once");
  for (const carrier of [bytes, Buffer.from(bytes), bytes.buffer]) {
    const { rows, malformed, whole } = parseReport(carrier);
    assert.deepEqual([rows.length, malformed.length, whole], [count, 0, true]);
    assert.ok(rows.every(({ transaction_id }, number) => transaction_id === `tx_${number}`));
  }
  const late = new TextEncoder().encode(`transaction_id,status,code,at\n${row(1)}`);
  assert.equal(parseReport(late, { download_at: "2026-01-04T05:59:59Z" }).malformed[0].why, "after_download");
  assert.equal(parseReport(late, { download_at: "2026-01-04T06:00:00Z" }).rows.length, 1);
});
