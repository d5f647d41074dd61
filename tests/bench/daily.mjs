// The daily run: the contestants live the same days, one after the other. Each morning a debit of each credit is due, and
// the report has five times as many rows: what became of the debits of the days before, a tenth of which failed.

import { join } from "node:path";
import { fastapi } from "./peer.mjs";
import { median } from "./load.mjs";
import { start } from "./runtime.mjs";

const DAY = 86_400_000;

/** The first morning after the eve that `ledger` holds. */
const FIRST = Date.parse("2030-01-03T06:00:00Z");

/** For how long a run is waited for. */
const PATIENCE = 1_800_000;

/** How long the runs take, of each contestant. */
export const daily = async ({ processor, state, ledger, days, python, variables, contestants: wanted }) => {
  const runtime = await start(wanted, { state: join(state, "daily"), processor, ledger, variables });
  const peer = python && await fastapi({ python, state: join(state, "daily-fastapi"), processor, ledger });
  const contestants = [...runtime.contestants, ...peer ? [peer] : []];
  const seen = new Map(contestants.map(({ name }) => [name, []]));
  for (let day = 0; day < days; day += 1) {
    for (const contestant of day % 2 ? contestants.toReversed() : contestants) {
      const { seconds, issued, rows } = await live(contestant, processor, FIRST + day * DAY);
      process.stdout.write(`daily run ${day}, ${contestant.name}: ${seconds.toFixed(2)} s, ${issued} issued, ${rows} rows of report\n`);
      // The first day warms up.
      if (day > 0) seen.get(contestant.name).push({ seconds, issued, rows });
    }
  }
  const figures = Object.fromEntries([...seen].map(([name, all]) => [name, {
    seconds: median(all.map(({ seconds }) => seconds)), issued: all[0].issued, rows: all[0].rows,
    spread: spread(all.map(({ seconds }) => seconds)),
  }]));
  const working = contestants.filter(({ name }) => name !== "bare");
  const written = Object.fromEntries(working.map((contestant) => [contestant.name, tables(contestant)]));
  await runtime.stop();
  await peer?.stop();
  alike(Object.values(written));
  return { contestants: figures, written };
};

/** The tables of which each must write as many rows as the others; how far a run came and how days are summed up is its own. */
const ALIKE = ["credits", "debits", "debit_transactions", "decisions", "observations", "processed_debits", "words", "reports", "run_closings"];

const alike = ([first, ...others]) => {
  for (const table of ALIKE) {
    if (others.some((other) => other[table] !== first[table])) {
      throw new Error(`not all wrote as many rows of ${table}: ${[first, ...others].map((one) => one[table])}`);
    }
  }
};

const spread = (all) => (Math.max(...all) - Math.min(...all)) / median(all);

/** Lives one morning: sets its report, fires the cron, and waits for the run's end. */
export const live = async (contestant, processor, morning) => {
  const report = reported(contestant, morning);
  await fetch(`${processor}/report`, { method: "PUT", body: report.text });
  const at = performance.now();
  const own = await contestant.daily(new Date(morning));
  const ledger = contestant.ledger();
  const end = ledger.prepare("SELECT c.status FROM run_closings c JOIN runs r ON r.id = c.run_id WHERE r.as_of = ?");
  const asOf = new Date(morning).toISOString();
  while (!end.get(asOf)) {
    if (performance.now() - at > PATIENCE) throw new Error(`${contestant.name} does not come to an end`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // A job says by itself how long it took without the start of its process.
  const seconds = typeof own === "number" ? own : (performance.now() - at) / 1000;
  const { status } = end.get(asOf);
  if (status !== "complete") throw new Error(`the run of ${contestant.name} is ${status}`);
  const { issued } = ledger.prepare("SELECT count(*) AS issued FROM processed_debits WHERE at = ?").get(asOf);
  ledger.close();
  return { seconds, issued, rows: report.rows };
};

/** What became of the debits of the last five days; those of a contestant that has no more are said again. */
const reported = (contestant, morning) => {
  const ledger = contestant.ledger();
  const lines = [];
  for (let ago = 1; ago <= 5; ago += 1) {
    const at = new Date(morning - ago * DAY).toISOString();
    const said = new Date(morning - ago * DAY + DAY / 2).toISOString();
    const debits = ledger.prepare(`SELECT t.transaction_id, d.sequence, c.account_id FROM processed_debits p
      JOIN debits d ON d.id = p.debit_id JOIN credits c ON c.id = d.credit_id
      JOIN debit_transactions t ON t.debit_id = d.id WHERE p.at = ?`).all(at);
    debits.forEach((debit) => lines.push(`${debit.transaction_id},${outcome(debit)},${said}`));
  }
  const { credits } = ledger.prepare("SELECT count(DISTINCT credit_id) AS credits FROM processed_debits WHERE at = ?")
    .get(new Date(morning - DAY).toISOString());
  ledger.close();
  const rows = credits * 5;
  const said = lines.length;
  for (let line = 0; lines.length < rows && said > 0; line += 1) lines.push(lines[line % said]);
  return { text: `transaction_id,status,code,at\n${lines.join("\n")}\n`, rows: lines.length };
};

/** Of each credit each tenth of the planned debits fails, on another day for each; what replaces one does not. */
const outcome = ({ sequence, account_id }) => {
  const number = Number(account_id.replace(/\D/g, ""));
  return sequence <= PLANNED && (sequence + number) % 10 === 0 ? "failure,R01" : "success,";
};

/** How many installments each credit has. */
export const PLANNED = 12;

/** How many rows each table of a contestant holds in the end. */
const tables = (contestant) => {
  const ledger = contestant.ledger();
  const names = ledger.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' ORDER BY name").all();
  const counted = names.map(({ name }) => [name, ledger.prepare(`SELECT count(*) AS rows FROM ${name}`).get().rows]);
  ledger.close();
  return Object.fromEntries(counted.filter(([, rows]) => rows > 0));
};

/** What the database was asked in one run over each of some ledgers: statements, rows read and written. */
export const counts = async ({ processor, state, ledgers }) => {
  const counted = [];
  for (const ledger of ledgers) {
    const runtime = await start(["paydown"], { state: join(state, "counts"), processor, ledger, counted: true });
    const [contestant] = runtime.contestants;
    const { issued } = await live(contestant, processor, FIRST);
    const { statements, read, written, batches } = await (await fetch(`${contestant.address}/bench/counted`)).json();
    counted.push({ ledger, issued, statements, read, written, batches });
    await runtime.stop();
  }
  return counted;
};
