// The floor: a Worker written by hand that does only what no one can leave out. It writes the rows that Paydown writes and
// makes the same calls of the processor, within the limits of the platform; it checks nothing, it can resume nothing, and
// it knows of the law only what the measured day needs. With `FACTS`, the statement that reads all facts of credits, it reads
// them as often as a run that decides by facts: to decide, and to check and count what it decided; it makes nothing of them.

import { asked, call, each } from "./processor.mjs";

/** How many rows go into one parameter of at most 2 MB (Cloudflare, D1 limits). */
const ROWS = 10_000;

/** How many credits are worked at between two batches. */
const SLICE = 1_000;

/** How many credits' facts are read at once. */
const FACTS_AT_ONCE = 400;

const DAY = 86_400_000;

export default {
  fetch: (request, env) => advance(request, env),
  scheduled: (event, env) => daily(env, new Date(event.scheduledTime)),
};

// ------------------------------------------------------------------------------------------------ perform_advance

const advance = async (request, env) => {
  const text = await request.text();
  const { account_id, amount, fee = 0, currency = "USD", installments = 12, interval_days = 7 } = JSON.parse(text);
  const [id, at] = [crypto.randomUUID(), new Date().toISOString()];
  const [key, fingerprint] = await Promise.all([
    sha256(request.headers.get("authorization").slice("Bearer ".length)), sha256(text)]);
  const body = asked("paydown_funding", account_id, amount, "credit", id);
  await env.DB.batch([
    env.DB.prepare(CREDIT).bind(id, account_id, amount, fee, currency, installments, interval_days, body, at),
    env.DB.prepare(REQUEST).bind(request.headers.get("idempotency-key"), fingerprint, id, key, crypto.randomUUID(), at),
  ]);
  const transaction_id = await call(env, id, body);
  await env.DB.batch([env.DB.prepare(NAMED).bind(id, transaction_id, at)]);
  return Response.json({
    id, account_id, amount, fee, currency, installments, interval_days, status: "pending", created_at: at, transaction_id,
    confirmed_at: null, collected: 0, paid: 0, in_flight: 0, scheduled: 0, missing: 0, outstanding: 0, next_due_date: null,
  }, { status: 201, headers: { location: `/v1/credits/${id}` } });
};

const CREDIT = `INSERT INTO credits (id, account_id, amount, fee, currency, installments, interval_days, body, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const REQUEST = `INSERT INTO requests (idempotency_key, fingerprint, credit_id, api_key_id, request_id, created_at)
  SELECT ?, ?, ?, id, ?5, ?6 FROM api_keys WHERE hash = ?4`;
const NAMED = "INSERT INTO credit_transactions (credit_id, transaction_id, at) VALUES (?, ?, ?)";

const sha256 = async (data) => {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

// ---------------------------------------------------------------------------------------------------- the daily run

const daily = async (env, now) => {
  const run = { id: crypto.randomUUID(), as_of: now.toISOString(), date: now.toISOString().slice(0, 10) };
  const [before] = await rows(env, "SELECT as_of, business_date FROM runs ORDER BY as_of DESC LIMIT 1");
  const [{ id: policy }] = await rows(env, "SELECT id FROM policies LIMIT 1");
  await env.DB.prepare("INSERT INTO runs (id, business_date, as_of, started_at, missed_days) VALUES (?1, ?2, ?3, ?3, '[]')")
    .bind(run.id, run.date, run.as_of).run();
  await read(env, run);
  await decide(env, run, policy);
  await issue(env, run, policy, before.business_date);
  await close(env, run);
};

/** Archives the report and records what it says. */
const read = async (env, run) => {
  const response = await fetch(`${env.PROCESSOR_URL}/report`, {
    headers: { authorization: `Bearer ${env.PROCESSOR_TOKEN}` } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const key = `reports/${run.date}/${run.id}.csv`;
  const [hash] = await Promise.all([sha256(bytes), env.REPORTS.put(key, bytes)]);
  await env.DB.prepare(`INSERT INTO reports (run_id, object_key, sha256, bytes, whole, window_days, read_at)
    VALUES (?, ?, ?, ?, 1, 5, ?)`).bind(run.id, key, hash, bytes.length, run.as_of).run();
  const lines = new TextDecoder().decode(bytes).split("\n");
  for (let from = 1; from < lines.length - 1; from += ROWS) {
    const said = lines.slice(from, Math.min(from + ROWS, lines.length - 1)).map((line) => line.split(","));
    await env.DB.batch([env.DB.prepare(OBSERVED).bind(JSON.stringify(said), run.id), done(env, run, "observations", from)]);
  }
};

const OBSERVED = `INSERT INTO observations (transaction_id, subject_id, at, status, code, source, run_id, detail)
  SELECT value ->> 0, '', value ->> 3, value ->> 1, value ->> 2, 'report', ?2, '' FROM json_each(?1) WHERE true
  ON CONFLICT DO NOTHING`;

/** Takes the words of the day into effect: what failed goes to the end of the plan. */
const decide = async (env, run, policy) => {
  for (let cursor = ""; ;) {
    const said = await rows(env, SAID, run.id, cursor, SLICE);
    if (said.length === 0) return;
    cursor = said.at(-1).transaction_id;
    await facts(env, said);
    const [decisions, words, debits] = [[], [], []];
    for (const { subject, credit, turn, status, code, at, amount, sequence, last, latest } of said) {
      const decision = crypto.randomUUID();
      decisions.push([decision, credit, turn, status === "failure" ? "L4" : "L6", WORDS_INPUT]);
      words.push([subject, turn, credit, status, code || null, at, decision]);
      if (status === "failure") {
        debits.push([crypto.randomUUID(), credit, last + 1, amount, after(latest > run.date ? latest : run.date), sequence, decision]);
      }
    }
    await env.DB.batch([
      env.DB.prepare(DECISIONS).bind(JSON.stringify(decisions), policy, run.id, run.as_of),
      env.DB.prepare(DEBITS).bind(JSON.stringify(debits)),
      env.DB.prepare(WORDS).bind(JSON.stringify(words)),
      done(env, run, "words", cursor),
    ]);
  }
};

/** Issues what is due: the intents, the calls, their answers. */
const issue = async (env, run, policy, since) => {
  for (let cursor = ""; ;) {
    const due = await rows(env, DUE, since, run.date, cursor, SLICE);
    if (due.length === 0) return;
    cursor = due.at(-1).id;
    const [decisions, processed] = [[], []];
    for (const { id, credit, turn, amount, account } of due) {
      const decision = crypto.randomUUID();
      decisions.push([decision, credit, turn, "L3", ISSUE_INPUT]);
      processed.push([id, credit, asked(account, "paydown_funding", amount, "debit", id), decision]);
    }
    await env.DB.batch([
      env.DB.prepare(DECISIONS).bind(JSON.stringify(decisions), policy, run.id, run.as_of),
      env.DB.prepare(PROCESSED).bind(JSON.stringify(processed), run.as_of),
    ]);
    const named = [];
    await each(processed, async ([debit, credit, body]) => named.push([debit, credit, await call(env, debit, body)]));
    await env.DB.batch([
      env.DB.prepare(DEBITS_NAMED).bind(JSON.stringify(named), run.as_of), done(env, run, "issue", cursor)]);
  }
};

/** Closes the run with the figures of the day. */
const close = async (env, run) => {
  const touched = await rows(env, "SELECT DISTINCT credit_id AS credit FROM decisions WHERE run_id = ?", run.id);
  await facts(env, touched);
  await env.DB.batch([
    env.DB.prepare(FIGURES).bind(run.id, run.as_of),
    env.DB.prepare(DAY_FIGURES).bind(run.as_of, run.date),
    env.DB.prepare("INSERT INTO run_closings (run_id, status, reasons, counts, finished_at) VALUES (?, 'complete', '[]', '{}', ?)")
      .bind(run.id, new Date().toISOString()),
  ]);
};

/** Reads all facts of the credits, so many at once as Paydown. */
const facts = async (env, of) => {
  const credits = env.FACTS ? [...new Set(of.map(({ credit }) => credit))] : [];
  for (let from = 0; from < credits.length; from += FACTS_AT_ONCE) {
    const found = await rows(env, env.FACTS, JSON.stringify(credits.slice(from, from + FACTS_AT_ONCE)));
    found.forEach((row) => JSON.parse(Object.values(row)[0]));
  }
};

const rows = async (env, sql, ...parameters) => (await env.DB.prepare(sql).bind(...parameters).all()).results;

/** The row that says how far a stage came. */
const done = (env, run, stage, place) => env.DB.prepare(
  `INSERT INTO run_stages (run_id, stage, slice, cursor, detail, at) VALUES (?1, ?2,
   (SELECT count(*) FROM run_stages WHERE run_id = ?1 AND stage = ?2), ?3, '{"reasons":[]}', ?4)`,
).bind(run.id, stage, `${place}`, run.as_of);

const after = (date) => new Date(Date.parse(date) + DAY).toISOString().slice(0, 10);

const WORDS_INPUT = '{"input":"words","covered_from":"2030-01-01T06:00:00Z","seen":{"reported":2}}';
const ISSUE_INPUT = '{"input":"issue","seen":{"reported":2}}';

const SAID = `SELECT o.transaction_id, o.status, o.code, o.at, d.id AS subject, d.credit_id AS credit, d.amount, d.sequence,
    (SELECT max(turn) + 1 FROM decisions WHERE credit_id = d.credit_id) AS turn,
    (SELECT max(sequence) FROM debits WHERE credit_id = d.credit_id) AS last,
    (SELECT max(due_date) FROM debits WHERE credit_id = d.credit_id) AS latest
  FROM observations o CROSS JOIN debit_transactions t ON t.transaction_id = o.transaction_id
  CROSS JOIN debits d ON d.id = t.debit_id
  WHERE o.run_id = ?1 AND o.transaction_id > ?2 ORDER BY o.transaction_id LIMIT ?3`;

const DUE = `SELECT d.id, d.credit_id AS credit, d.amount, c.account_id AS account,
    (SELECT max(turn) + 1 FROM decisions WHERE credit_id = d.credit_id) AS turn
  FROM debits d CROSS JOIN credits c ON c.id = d.credit_id
  WHERE d.due_date > ?1 AND d.due_date <= ?2 AND d.id > ?3 ORDER BY d.id LIMIT ?4`;

const DECISIONS = `INSERT INTO decisions (id, credit_id, turn, rule, policy_id, run_id, at, input)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2, ?3, ?4, value ->> 4 FROM json_each(?1)`;
const DEBITS = `INSERT INTO debits (id, credit_id, sequence, amount, due_date, reason, replaces, decision_id)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, 'failed', value ->> 5, value ->> 6 FROM json_each(?1)`;
const WORDS = `INSERT INTO words (subject_id, turn, credit_id, outcome, code, at, decision_id)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?1)`;
const PROCESSED = `INSERT INTO processed_debits (debit_id, credit_id, body, at, decision_id)
  SELECT value ->> 0, value ->> 1, value ->> 2, ?2, value ->> 3 FROM json_each(?1)`;
const DEBITS_NAMED = `INSERT INTO debit_transactions (debit_id, credit_id, transaction_id, at)
  SELECT value ->> 0, value ->> 1, value ->> 2, ?2 FROM json_each(?1)`;
const FIGURES = `INSERT INTO figures (run_id, as_of, counted_from, zone, decided, created, exceptions, dead_letters,
    runs_complete, runs_incomplete, runs_failed, figures)
  SELECT ?1, ?2, counted_from, zone, decided, created, exceptions, dead_letters, runs_complete + 1, runs_incomplete,
    runs_failed, figures FROM figures ORDER BY as_of DESC LIMIT 1`;
const DAY_FIGURES = `INSERT INTO day_figures (counted_from, date, as_of, expected, collected)
  SELECT counted_from, ?2, ?1, expected, collected FROM day_figures ORDER BY as_of DESC LIMIT 1`;
