// A processor that a test writes the words of: what it answers to the calls for an account, and what its reports say.
// The bank simulator tells stories by itself; this one is for what a bank seldom does.

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How far back a report reaches. */
const WINDOW = 5 * DAY;

/** What the bank says of a transaction: after so many days, whether it succeeded, and the return code. */
export interface Word {
  days: number;
  status: "success" | "failure";
  code?: string;
}

/** What becomes of an account's transactions: of the advance, and of each debit in turn, the last of which stands for all later. */
export interface Story {
  advance?: Word[];
  /** `mute` answers 500 to each call. */
  debits?: (Word[] | "mute")[];
}

const SUCCESS: Word[] = [{ days: 0, status: "success" }];

interface Transaction {
  id: string;
  account: string;
  at: number;
  words: Word[];
}

export class Bank {
  /** Rows of the report that are of no transaction. */
  readonly strange: string[] = [];
  /** Whether the reports can be downloaded. */
  reports = true;
  /** Its time. A sandbox's clock sets it; who moves no clock does. */
  now = Date.now();
  private readonly transactions = new Map<string, Transaction>();
  private readonly before = new Map<string, number>();

  private constructor(private readonly stories: Record<string, Story>, private readonly server: Server) {}

  /** A bank that serves until it is closed. An account without a story pays everything. */
  static async open(stories: Record<string, Story>): Promise<Bank> {
    const server = createServer((request, response) => {
      void bank.answer(request).then(([status, text, type]) => {
        response.writeHead(status, { "content-type": type }).end(text);
      });
    });
    const bank = new Bank(stories, server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return bank;
  }

  /** Says of the account's last transaction, as of now, that it succeeded after all. */
  success(account: string): void {
    const last = [...this.transactions.values()].filter((transaction) => transaction.account === account).at(-1);
    if (!last) throw new Error(`no transaction of ${account}`);
    last.words = [{ days: (this.now - last.at - HOUR) / DAY, status: "success" }];
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: IncomingMessage): Promise<[number, string, string]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const json = "application/json";
    if (request.url === "/report") {
      return this.reports ? [200, this.report(), "text/csv"] : [503, "{}", json];
    }
    if (request.url === "/clock") {
      this.now = Date.parse(JSON.parse(text).now);
      return [200, "{}", json];
    }
    const id = this.transact(`${request.headers["idempotency-key"]}`, JSON.parse(text));
    return id ? [201, JSON.stringify({ transaction_id: id }), json] : [500, "{}", json];
  }

  private transact(key: string, asked: Record<string, string>): string | undefined {
    const known = this.transactions.get(key);
    if (known) return known.id;
    const isDebit = asked.direction === "debit";
    const account = `${isDebit ? asked.src_bank_account : asked.dst_bank_account}`;
    const story = this.stories[account] ?? {};
    const before = this.before.get(account + asked.direction) ?? 0;
    // What is pushed to an account after the advance is a refund.
    const advance = before === 0 ? story.advance : undefined;
    const words = (isDebit ? story.debits?.[Math.min(before, story.debits.length - 1)] : advance) ?? SUCCESS;
    if (words === "mute") return undefined;
    this.before.set(account + asked.direction, before + 1);
    const transaction = { id: `tx_${account}_${asked.direction}_${before + 1}`, account, at: this.now, words };
    this.transactions.set(key, transaction);
    return transaction.id;
  }

  private report(): string {
    const rows = [...this.transactions.values()].flatMap(({ id, at, words }) =>
      words.map(({ days, status, code }) => ({ id, status, code, at: at + HOUR + days * DAY })),
    );
    const said = rows.filter(({ at }) => at <= this.now && at > this.now - WINDOW);
    const lines = said.map(({ id, status, code, at }) => `${id},${status},${code ?? ""},${new Date(at).toISOString()}`);
    const strange = this.strange.map((row) => row.replace("NOW", new Date(this.now).toISOString()));
    return ["transaction_id,status,code,at", ...lines, ...strange, ""].join("\n");
  }
}
