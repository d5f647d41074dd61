// What the last runs matched, missed and could not tell, by count and amount, and the way from there to the items.

import { expect, open, settled, test, title } from "./paydown";

interface Run {
  id: string;
  counts: Record<string, number>;
  amounts: Record<string, number>;
  report: { rows: number; malformed: number } | null;
}

const MONEY = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

const cell = (count: number | undefined, amount?: number) =>
  `${count ?? ""}${count && amount !== undefined ? MONEY.format(amount / 100) : ""}`;

test("each figure is that of /v1/runs", async ({ page, api }) => {
  const runs = await api.list<Run>("/v1/runs?limit=60");
  expect(runs.some(({ amounts }) => amounts.collected && amounts.failed), "a run matched both").toBe(true);
  await open(page, "/runs");
  const shown = await page.getByRole("table").locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll("td.num")].map((cell) => cell.textContent?.trim())),
  );
  expect(shown).toEqual(
    runs.map(({ counts, amounts, report }) => [
      cell(report?.rows),
      cell(
        counts.collected + counts.failed + counts.returned,
        amounts.collected + amounts.failed + amounts.returned,
      ),
      cell(counts.timed_out, amounts.timed_out),
      cell(report?.malformed),
      cell(counts.unknown_transactions),
      cell(counts.issued, amounts.issued),
      cell(counts.exceptions),
    ]),
  );
});

test("from a run that missed a word it is one click to the debits without one", async ({ page, api }) => {
  const runs = await api.list<Run>("/v1/runs?limit=60");
  const missed = runs.find(({ counts }) => counts.timed_out);
  expect(missed, "a debit of the world timed out").toBeDefined();
  await open(page, "/runs");
  const row = page.getByRole("row").filter({ has: page.locator(`a[href="/runs/${missed?.id}"]`) });
  await row.locator('a[href="/debits?status=timed_out"]').click();
  await expect(title(page)).toHaveText("Debits");
  await settled(page);
  await expect(page.getByRole("table").locator("tbody tr").first()).toContainText("timed out");
});

test("a credit's plan is a strip by due date, each debit the way to its row", async ({ page, api }) => {
  const [listed] = await api.list<{ id: string }>("/v1/credits?status=active&limit=1");
  const { debits } = await api.credit(`${listed?.id}`);
  await open(page, `/credits/${listed?.id}`);
  const cells = page.getByRole("list", { name: "The plan by due date" }).getByRole("link");
  const inOrder = [...debits].sort((a, b) => a.due_date.localeCompare(b.due_date) || a.sequence - b.sequence);
  await expect(cells).toHaveCount(debits.length);
  for (const [place, debit] of inOrder.entries()) {
    await expect(cells.nth(place)).toHaveAccessibleName(new RegExp(`^Debit ${debit.sequence}, .*: ${debit.status.replace("_", " ")}$`));
  }
  await cells.first().click();
  await expect(page).toHaveURL(new RegExp(`#debit-${inOrder[0]?.sequence}$`));
});
