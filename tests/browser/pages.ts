// The pages of the dashboard, with something to see on each.

import type { Page, Route } from "@playwright/test";
import type { Api, Credit, Debit, Exception } from "./api";
import { account, open, settled } from "./paydown";

export interface Shown {
  name: string;
  /** Opens it and waits until all of it is there. */
  show: (page: Page, api: Api) => Promise<void>;
  /** Leaves the world as it was, where showing it changed more than a credit of its own. */
  leave?: (api: Api) => Promise<void>;
}

const at = (path: string) => (page: Page) => open(page, path);

/** A debit that failed by a row of the report; one that the processor refused has none. */
async function failedDebit(api: Api): Promise<Debit> {
  const failed = await api.list<Debit>("/v1/debits?status=failed&limit=200");
  const debit = failed.find(({ code }) => /^R\d\d$/.test(code ?? ""));
  if (!debit) throw new Error("no debit of this world has failed by a row of the report");
  return debit;
}

async function creditThatIs(status: string, api: Api): Promise<Credit> {
  const [credit] = await api.list<Credit>(`/v1/credits?status=${status}&limit=1`);
  if (!credit) throw new Error(`no credit of this world is ${status}`);
  return credit;
}

/** All of them but the login, which is of those who are not logged in. */
export const PAGES: Shown[] = [
  { name: "Overview", show: at("/") },
  { name: "Credits", show: at("/credits") },
  {
    name: "Credit",
    show: async (page, api) => {
      const debit = await failedDebit(api);
      await open(page, `/credits/${debit.credit_id}?debit=${debit.sequence}`);
      const story = page.getByRole("region", { name: `Why debit ${debit.sequence}` });
      await story.getByRole("button", { name: "Show the report row" }).first().click();
      await story.getByLabel("Report row").waitFor();
    },
  },
  { name: "Debits", show: at("/debits") },
  { name: "Reconciliation", show: at("/runs") },
  {
    name: "Run",
    show: async (page, api) => {
      const [run] = await api.list<{ id: string }>("/v1/runs?limit=1");
      await open(page, `/runs/${run?.id}`);
    },
  },
  { name: "Exceptions", show: at("/exceptions") },
  { name: "Simulator", show: at("/simulator") },
  { name: "Keys", show: at("/keys") },
  { name: "Webhooks", show: at("/webhooks") },
  { name: "Settings", show: at("/settings") },
];

/** What pages look like at other times, and what opens over them. */
export const STATES: Shown[] = [
  { name: "a list without a match", show: at("/credits?q=nobody_has_this_account") },
  { name: "a page that does not exist", show: at("/no/such/page") },
  {
    name: "a credit that is not planned",
    show: async (page, api) => {
      const terms = { amount: 30_000, installments: 3, interval_days: 7 };
      await open(page, `/credits/${await api.payOut(account("ok"), terms)}`);
      await page.getByText("Not planned yet").waitFor();
    },
  },
  {
    name: "a held credit, and the dialog of its release",
    show: async (page, api) => {
      await open(page, `/credits/${(await creditThatIs("held", api)).id}`);
      await page.getByRole("button", { name: "Release…" }).click();
      await page.getByRole("dialog").getByRole("listitem").first().waitFor();
    },
  },
  {
    name: "the search, with what it found",
    show: async (page) => {
      await open(page, "/settings");
      await page.keyboard.press("Control+k");
      await page.keyboard.type("world_");
      await page.getByRole("option").nth(2).waitFor();
    },
  },
  {
    name: "the help of the shortcuts",
    show: async (page) => {
      await open(page, "/settings");
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Shortcuts" }).waitFor();
    },
  },
  {
    name: "a key that was just made",
    show: async (page) => {
      await open(page, "/keys");
      await page.getByLabel("Label of a new key").fill("of the test");
      await page.getByRole("button", { name: "Make a key" }).click();
      await page.getByText("is shown only now").waitFor();
    },
  },
  {
    name: "the dialog that revokes a key",
    show: async (page) => {
      await open(page, "/keys");
      await page.getByRole("button", { name: /^Revoke/ }).first().click();
      await page.getByRole("dialog", { name: "Revoke this key" }).waitFor();
    },
  },
  {
    name: "offline",
    show: async (page) => {
      await open(page, "/credits");
      await page.evaluate(() => window.dispatchEvent(new Event("offline")));
      await page.getByText("Offline.").waitFor();
    },
  },
  {
    name: "the dialog of an exception",
    show: async (page) => {
      await open(page, "/exceptions?status=open");
      await page.getByRole("button", { name: "Resolve" }).first().click();
      await page.getByRole("dialog").getByLabel("What to do").waitFor();
      await settled(page);
    },
  },
  {
    name: "the menu of what may be done to a credit",
    show: async (page, api) => {
      await open(page, `/credits/${(await creditThatIs("active", api)).id}`);
      await page.locator("summary", { hasText: "More" }).click();
      await page.getByRole("button", { name: "Write off…" }).waitFor();
    },
  },
  {
    name: "the dialog of an external payment, of which something is wrong",
    show: async (page, api) => {
      await open(page, `/credits/${(await creditThatIs("active", api)).id}`);
      await act(page, "External payment");
      await page.getByRole("dialog").getByText("Enter an amount").waitFor();
    },
  },
  {
    name: "a credit that was paid too much, and the dialog of what became of its refund",
    show: async (page, api) => {
      const id = await api.payOut(account("ok"), { amount: 50_000, installments: 2, interval_days: 7 });
      const payment = { amount: 62_300, received_on: "2026-01-02", note: "a check" };
      await api.act(`/v1/credits/${id}/external_payment`, payment);
      await api.act(`/v1/credits/${id}/refund`, { amount: 12_300, note: "paid too much" });
      await open(page, `/credits/${id}`);
      await page.getByRole("button", { name: "Decide… the refund" }).first().click();
      await page.getByLabel("What became of it").selectOption("failure");
      await page.getByLabel("Return code").fill("R03");
      await page.getByRole("dialog").getByRole("listitem").first().waitFor();
    },
  },
  {
    name: "the corner that says what was done",
    show: async (page) => {
      await open(page, "/runs");
      await page.getByRole("button", { name: "Run now" }).click();
      await page.getByRole("button", { name: "Dismiss" }).waitFor();
    },
  },
  {
    name: "the dialog of many exceptions",
    show: async (page, api) => {
      const credit = await creditThatIs("held", api);
      const exceptions = await api.list<Exception>("/v1/exceptions?status=open&limit=200");
      const kind = exceptions.find((exception) => exception.credit_id === credit.id)?.kind;
      await open(page, `/exceptions?status=open&kind=${kind}`);
      await page.getByRole("button", { name: "Resolve all of this kind…" }).click();
      await page.getByRole("dialog").getByLabel("What to do").waitFor();
    },
  },
  {
    name: "the dialog of a stop",
    show: async (page) => {
      await open(page, "/debits");
      await page.getByRole("button", { name: "Stop…" }).click();
      await page.getByRole("dialog").getByLabel(/^Why/).waitFor();
    },
  },
  {
    name: "a stop that is in force",
    show: async (page, api) => {
      await api.act("/v1/stop", { note: "the bank called about a file that came twice" });
      await open(page, "/debits");
      await page.getByRole("region", { name: "A stop is in force" }).waitFor();
    },
    leave: async (api) => {
      await api.act("/v1/start", { note: "it was seen" });
    },
  },
];

/** Opens the dialog of one of the rarer acts on a credit. */
async function act(page: Page, name: string): Promise<void> {
  await page.locator("summary", { hasText: "More" }).click();
  await page.getByRole("button", { name: `${name}…`, exact: true }).click();
}

/** Where the data of a page comes from, page by page. */
export const SOURCES: [string, RegExp][] = [
  ["/credits", /\/v1\/credits\?/],
  ["/", /\/v1\/summary/],
  ["/debits", /\/v1\/debits\?/],
  ["/runs", /\/v1\/runs\?(?!limit=1$)/],
  ["/exceptions", /\/v1\/exceptions\?/],
  ["/keys", /\/v1\/keys/],
  ["/settings", /\/v1\/settings/],
];

export interface Face {
  name: string;
  answer: (route: Route) => Promise<void>;
  /** What the browser's console says of such an answer. */
  complaint?: string;
}

const problem = (status: number, title: string): Face => ({
  name: title.toLowerCase(),
  answer: (route) =>
    route.fulfill({
      status,
      contentType: "application/problem+json",
      headers: status === 429 ? { "retry-after": "60" } : {},
      body: JSON.stringify({
        type: "urn:paydown:problem:of_the_test", title, status, detail: "for the test", code: "of_the_test", request_id: "req-of-the-test",
      }),
    }),
  complaint: `status of ${status}`,
});

/** What a page shows that has no data yet, or gets none. */
export const FACES: Face[] = [
  { name: "on its way", answer: () => new Promise(() => {}) },
  { name: "unreachable", answer: (route) => route.abort(), complaint: "net::ERR_FAILED" },
  problem(403, "Not allowed"),
  problem(404, "Not found"),
  problem(429, "Too many requests"),
  problem(500, "It broke"),
];
