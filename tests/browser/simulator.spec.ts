// The plan that the browser works out is the plan that the API would make.

import type { Page } from "@playwright/test";
import type { Credit, Debit } from "./api";
import { expect, open, test } from "./paydown";

interface Terms {
  "Amount": string;
  "Fee": string;
  "Installments": string;
  "Days between": string;
  "Advanced on": string;
}

const CASES: { entered: Terms; query: string }[] = [
  {
    entered: { "Amount": "1,000.00", "Fee": "7.77", "Installments": "5", "Days between": "14", "Advanced on": "2028-02-15" },
    query: "amount=100000&fee=777&installments=5&interval_days=14&start_date=2028-02-15",
  },
  {
    entered: { "Amount": "1.04", "Fee": "0", "Installments": "104", "Days between": "1", "Advanced on": "2027-12-30" },
    query: "amount=104&fee=0&installments=104&interval_days=1&start_date=2027-12-30",
  },
];

for (const { entered, query } of CASES) {
  test(`the plan of ${query} is that of /v1/plan`, async ({ page, api }) => {
    await open(page, "/simulator");
    await enter(page, entered);
    const { installments } = await api.plan(query);
    expect(installments).toHaveLength(Number(entered.Installments));
    const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
    await expect.poll(() => rows(page)).toEqual(
      installments.map(({ sequence, amount, due_date }) => [`${sequence}`, due_date, money.format(amount / 100)]),
    );
  });
}

test("terms that the contract refuses are said to be wrong, and plan nothing", async ({ page }) => {
  await open(page, "/simulator");
  for (const [field, wrong] of [["Amount", "1.005"], ["Fee", "-1"], ["Installments", "105"], ["Days between", "0"]] as const) {
    await page.reload();
    await page.getByLabel(field).fill(wrong);
    await expect(page.locator("main").getByRole("status")).toContainText(/^Enter/);
    await expect(page.getByRole("table")).toHaveCount(0);
  }
});

test("what would become of a credit is said by its account, and kept in the address", async ({ page, api }) => {
  const [credit] = await api.list<Credit>("/v1/credits?status=active&limit=1");
  await open(page, "/simulator");
  await expect(page.getByText("Name a credit by its id or account.")).toBeVisible();
  await page.getByLabel("Credit", { exact: true }).fill(`${credit?.account_id}`);
  await page.getByLabel("Credit", { exact: true }).press("Enter");
  await expect(page).toHaveURL(`/simulator?credit=${credit?.account_id}`);
  const region = page.getByRole("region", { name: "What the next run would do" });
  // On the day on which the next debit is due the run issues it.
  await region.getByLabel("If it runs on").fill(`${credit?.next_due_date}`);
  await region.getByLabel("If it runs on").press("Tab");
  await expect(region).toContainText(/Debit \d+ is issued/);
  await page.getByLabel("Credit", { exact: true }).fill("nobody_has_this_account");
  await page.getByLabel("Credit", { exact: true }).press("Enter");
  await expect(page.getByText("No credit has that id or account.")).toBeVisible();
});

test("the clock goes on to the day on which a debit is due", async ({ page, api }) => {
  // The day has a run already, of an hour before its morning's: the first day lived through ends on the same date.
  const [before] = await api.list<{ business_date: string }>("/v1/runs?limit=1");
  await api.cron(Date.parse(`${before?.business_date}T01:00:00Z`) + 86_400_000);
  const [last] = await api.list<{ business_date: string }>("/v1/runs?limit=1");
  const due = async () =>
    (await api.list<Debit>(`/v1/debits?status=scheduled&limit=200`)).map(({ due_date }) => due_date)
      .filter((date) => date > `${last?.business_date}`).sort()[0];
  const next = await due();
  expect(next, "a debit is scheduled").toBeDefined();
  await open(page, "/simulator");
  await page.getByRole("button", { name: "To the next due debit" }).click();
  await expect
    .poll(async () => (await api.list<{ business_date: string }>("/v1/runs?limit=1"))[0]?.business_date, { timeout: 120_000 })
    .toBe(next);
});

async function enter(page: Page, terms: Terms): Promise<void> {
  for (const [field, text] of Object.entries(terms)) await page.getByLabel(field).fill(text);
}

function rows(page: Page): Promise<(string | null)[][]> {
  return page.getByRole("table").locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => [
      row.children[0]?.textContent ?? null,
      row.querySelector("time")?.getAttribute("datetime") ?? null,
      row.children[2]?.textContent ?? null,
    ]),
  );
}
