// The pages of the dashboard, with something to see on each.

import type { Page } from "@playwright/test";
import type { Api, Debit } from "./api";
import { open, settled } from "./paydown";

export interface Shown {
  name: string;
  /** Opens it and waits until all of it is there. */
  show: (page: Page, api: Api) => Promise<void>;
}

const at = (path: string) => (page: Page) => open(page, path);

async function failedDebit(api: Api): Promise<Debit> {
  const [debit] = await api.list<Debit>("/v1/debits?status=failed&limit=1");
  if (!debit) throw new Error("no debit of this world has failed");
  return debit;
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
  { name: "Runs", show: at("/runs") },
  {
    name: "Run",
    show: async (page, api) => {
      const [run] = await api.list<{ id: string }>("/v1/runs?limit=1");
      await open(page, `/runs/${run?.id}`);
    },
  },
  { name: "Exceptions", show: at("/exceptions") },
  { name: "Simulator", show: at("/simulator") },
];

/** What opens over a page. */
export const DIALOGS: Shown[] = [
  {
    name: "Exception's dialog",
    show: async (page) => {
      await open(page, "/exceptions?status=open");
      await page.getByRole("button", { name: "Resolve" }).first().click();
      await page.getByRole("dialog").getByLabel("What to do").waitFor();
      await settled(page);
    },
  },
];
