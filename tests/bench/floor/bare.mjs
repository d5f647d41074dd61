// The runtime alone: what no Worker can leave out. An advance is two round trips to the database that ask it nothing, and a call
// of the processor; a day is a call for each debit that is due, and two rows that say that it was lived.

import { asked, call, each } from "./processor.mjs";

export default {
  fetch: (request, env) => advance(request, env),
  scheduled: (event, env) => daily(env, new Date(event.scheduledTime)),
};

const advance = async (request, env) => {
  const { account_id, amount } = await request.json();
  const id = crypto.randomUUID();
  await env.DB.batch([env.DB.prepare("SELECT 1")]);
  const transaction_id = await call(env, id, asked("paydown_funding", account_id, amount, "credit", id));
  await env.DB.batch([env.DB.prepare("SELECT 1")]);
  return Response.json({ id, transaction_id }, { status: 201 });
};

const daily = async (env, now) => {
  const [id, at, date] = [crypto.randomUUID(), now.toISOString(), now.toISOString().slice(0, 10)];
  await env.DB.prepare("INSERT INTO runs (id, business_date, as_of, started_at, missed_days) VALUES (?, ?, ?, ?, '[]')")
    .bind(id, date, at, at).run();
  const { results } = await env.DB.prepare("SELECT id, amount FROM debits WHERE due_date = ?").bind(date).all();
  await each(results, (debit) => call(env, debit.id, asked("an account", "paydown_funding", debit.amount, "debit", debit.id)));
  await env.DB.prepare("INSERT INTO run_closings (run_id, status, reasons, counts, finished_at) VALUES (?, 'complete', '[]', '{}', ?)")
    .bind(id, at).run();
};
