// A book that every kind of exception befell which a processor, an operator or the clock can bring about.

import { expect } from "@playwright/test";
import { Api, type Credit, type Exception } from "./api";
import { Bank, type Story } from "./bank";
import { type Book, serve } from "./world";

const DAYS_OF_SILENCE = 6;

/** What a run may debit in all, in minor units. */
const MAX_DEBITED = 1_000_000;

const R01 = [{ days: 0, status: "failure", code: "R01" } as const];

/** What the bank says, by account. */
const STORIES: Record<string, Story> = {
  unconfirmed: { advance: [] },
  contradicted: { advance: [] },
  returned: { advance: [{ days: 0, status: "success" }, { days: 2, status: "failure", code: "R03" }] },
  failed_first: { advance: [{ days: 0, status: "failure", code: "R03" }, { days: 1, status: "success" }] },
  given_back: { advance: [{ days: 1, status: "failure", code: "R03" }] },
  mute: { debits: ["mute"] },
  silent: { debits: [[]] },
  // The first debit succeeds after all, when the one in its place is on its way.
  twice: { debits: [[{ days: DAYS_OF_SILENCE + 1, status: "success" }], [{ days: 0, status: "success" }]] },
  closed: { debits: [[{ days: 0, status: "failure", code: "R02" }]] },
  strange_code: { debits: [[{ days: 0, status: "failure", code: "Q77" }]] },
  short: { debits: [R01] },
  poor: { debits: [R01] },
  unseen: { debits: [[]] },
};

/** The book, and how to end it. */
export async function live(): Promise<Book> {
  const bank = await Bank.open(STORIES);
  const settings = [
    "KEY_DAYS:2", "TWO_STRIKES:on", "INTAKE:queue", "MAX_PER_ACCOUNT:5000000", `MAX_DEBITED_PER_RUN:${MAX_DEBITED}`,
  ];
  const flags = ["--processor-url", bank.address, ...settings.flatMap((setting) => ["--var", setting])];
  const served = await serve(flags);
  const stop = async () => {
    await served.stop();
    bank.close();
  };
  try {
    await befall(new Api(served.address), bank);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: served.address, stop };
}

async function befall(api: Api, bank: Bank): Promise<void> {
  await api.live(1);
  const short = await paidOut(api, "short", 1, 1);
  const held = await paidOut(api, "held", 3, 7);
  const givenBack = await paidOut(api, "given_back", 3, 7);
  const contradicted = await paidOut(api, "contradicted", 3, 7);
  for (const account of ["unconfirmed", "returned", "failed_first", "mute", "closed", "strange_code"]) {
    await paidOut(api, account, 3, 7);
  }
  await paidOut(api, "silent", 3, 1);
  await paidOut(api, "poor", 2, 1);
  const twice = await paidOut(api, "twice", 1, 1);
  const today = (await api.summary()).as_of.slice(0, 10);
  await api.act(`/v1/credits/${held}/hold`, { note: "the customer disputes the amount" });
  await api.act(`/v1/credits/${givenBack}/external_payment`, { amount: 35_000, received_on: today, note: "by cheque" });
  await api.act(`/v1/credits/${givenBack}/refund`, { amount: 5_000, note: "paid too much" });
  // The cheque bounces, and the advance never arrives.
  const cheque = (await api.credit(givenBack)).external_payments[0]?.id;
  await api.act(`/v1/credits/${givenBack}/external_payment/${cheque}/revoke`, { note: "the cheque bounced" });
  bank.strange.push("tx_of_somebody_else,success,,NOW", "tx_1,perhaps,,NOW");
  await api.live(1);
  bank.strange.length = 0;
  await until(api, "credit_unconfirmed", contradicted);
  await api.act(`/v1/credits/${contradicted}/decision`, { status: "failure", note: "told by phone" });
  bank.success("contradicted");
  // Two strikes hold it; let go on, it fails once more, and no presentment is left.
  await until(api, "retry_limit", short);
  // By the hour at which the book begins, its first day has a run or not.
  await until(api, "over_collected", twice);

  // A week without reports, in which a debit was issued of which nothing is ever said.
  await paidOut(api, "unseen", 1, 1);
  await api.live(1);
  bank.reports = false;
  await api.live(8);
  bank.reports = true;
  await api.live(1);

  // Two requests at once, each within the limit and both beyond it; and what was advanced is too much for one run.
  await Promise.all([1, 2].map(() => api.payOut("large", { amount: 3_000_000, installments: 1, interval_days: 1 })));
  await named(api, "large");
  await api.live(3);
  // The cron of a day's run never comes; the sweeper sees it at noon.
  await api.sweepAtNoon();
}

/** Pays an advance of 300.00 out and waits until the processor has named it: requests go by the queue here. */
async function paidOut(api: Api, account: string, installments: number, interval_days: number): Promise<string> {
  const id = await api.payOut(account, { amount: 30_000, installments, interval_days });
  await named(api, account);
  return id;
}

async function named(api: Api, account: string): Promise<void> {
  const transaction = async () => (await api.list<Credit>(`/v1/credits?account_id=${account}`))[0]?.transaction_id ?? null;
  await expect.poll(transaction, { timeout: 60_000 }).not.toBeNull();
}

/** Lives on until such an exception is open for the credit; what holds the credit before is released. */
async function until(api: Api, kind: string, credit: string): Promise<void> {
  for (let day = 0; day < 20; day += 1) {
    const all = await api.list<Exception>(`/v1/exceptions?status=open&kind=${kind}&limit=200`);
    if (all.some(({ credit_id }) => credit_id === credit)) return;
    const { status } = await api.credit(credit);
    if (status === "held") await api.act(`/v1/credits/${credit}/release`, { note: "the customer has funds again" });
    await api.live(1);
  }
  throw new Error(`no ${kind} of ${credit} in 20 days`);
}
