// The HTTP API, as far as the browser tests prepare with it and compare with it.

import { randomUUID } from "node:crypto";

/** The API key of every local run. */
export const KEY = "pd_local_operator";

export interface Terms {
  amount: number;
  fee?: number;
  installments: number;
  interval_days: number;
}

export interface Credit {
  id: string;
  account_id: string;
  status: string;
  transaction_id: string | null;
  paid: number;
  scheduled: number;
  debits: Debit[];
  external_payments: { id: string; amount: number; received_on: string; revoked: boolean }[];
  refunds: { id: string; amount: number; status: string }[];
  timeline: { kind: string; debit_id?: string; run_id?: string; detail: string }[];
}

export interface Debit {
  id: string;
  credit_id: string;
  sequence: number;
  amount: number;
  due_date: string;
  status: string;
  code: string | null;
  transaction_id: string | null;
}

export interface Exception {
  id: string;
  kind: string;
  status: string;
  subject: string;
  credit_id: string | null;
  run_id: string | null;
  detail: string;
  resolution: { action: string; note: string } | null;
}

export interface Plan {
  installments: { sequence: number; amount: number; due_date: string }[];
}

export interface Summary {
  as_of: string;
  from: string;
  to: string;
  totals: Record<string, number>;
  credits: Record<string, number>;
  open_exceptions: number;
  exceptions: { open: number; oldest: Exception }[];
  days: { date: string; expected: number; collected: number; outstanding: number | null }[];
  overdue: number;
  ageing: { days: string; debits: number; amount: number }[];
  failures: { code: string | null; debits: number; amount: number }[];
  returns: { class: string; debits: number; returned: number; level_basis_points: number }[];
}

export class Api {
  constructor(private readonly address: string) {}

  /** Pays an advance out and says which credit it made. What the processor refuses makes one too. */
  async payOut(account: string, terms: Terms): Promise<string> {
    const answer = await this.send("POST", "/v1/perform_advance", { account_id: account, ...terms });
    const { id, credit_id, code } = JSON.parse(answer.text);
    if (answer.status === 201 || answer.status === 202) return id;
    if (answer.status === 422 && code === "refused") return credit_id;
    throw new Error(`the advance to ${account} was answered ${answer.status}: ${answer.text}`);
  }

  /** Lives through days, each with its daily run. */
  async live(days: number): Promise<void> {
    for (let day = 0; day < days; day += 1) {
      await this.ask("POST", "/v1/sandbox/clock", { advance_days: 1 });
    }
  }

  /** The day's cron does not come, and the sweeper's does at noon. */
  async sweepAtNoon(): Promise<void> {
    const [last] = await this.list<{ business_date: string }>("/v1/runs?limit=1");
    await this.fire("*/10 * * * *", Date.parse(`${last?.business_date}T12:00:00Z`) + 86_400_000);
  }

  /** The daily run of an instant. */
  async cron(at: number): Promise<void> {
    await this.fire("0 6 * * *", at);
    const [run] = await this.list<{ as_of: string; status: string }>("/v1/runs?limit=1");
    if (Date.parse(`${run?.as_of}`) !== at || run?.status === "running") throw new Error(`the run of ${at} did not end`);
  }

  private async fire(cron: string, at: number): Promise<void> {
    await this.send("GET", `/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}&time=${at}`);
  }

  credit(id: string): Promise<Credit> {
    return this.ask("GET", `/v1/credits/${id}`);
  }

  summary(): Promise<Summary> {
    return this.ask("GET", "/v1/summary");
  }

  plan(query: string): Promise<Plan> {
    return this.ask("GET", `/v1/plan?${query}`);
  }

  /** Does what an operator does; each call is an act of its own. */
  async act<T>(path: string, body: object): Promise<T> {
    return this.ask("POST", path, body);
  }

  /** The operators' stop, as the settings show it. */
  async stop(): Promise<{ in_force: boolean; actor: string | null; note: string | null }> {
    const settings = await this.ask<{ stop: { in_force: boolean; actor: string | null; note: string | null } }>("GET", "/v1/settings");
    return settings.stop;
  }

  /** The first page of a list. */
  async list<T>(path: string): Promise<T[]> {
    const page = await this.ask<{ data: T[] }>("GET", path);
    return page.data;
  }

  async report(run: string): Promise<string> {
    return (await this.send("GET", `/v1/runs/${run}/report`)).text;
  }

  private async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.text}`);
    return JSON.parse(answer.text);
  }

  private async send(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const headers: Record<string, string> = { authorization: `Bearer ${KEY}` };
    if (body) headers["content-type"] = "application/json";
    if (method === "POST") headers["idempotency-key"] = randomUUID();
    const answer = await fetch(this.address + path, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, text: await answer.text() };
  }
}
