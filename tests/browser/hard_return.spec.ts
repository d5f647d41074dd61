// A hard return: it holds the credit until a person says, with a note, that it may go on.

import type { Exception } from "./api";
import { account, expect, open, settled, test, title } from "./paydown";

test("a hard return is resolved from the Overview, and the credit goes on", async ({ page, api }) => {
  const id = await api.payOut(account("closed"), { amount: 30_000, installments: 3, interval_days: 1 });
  await expect.poll(() => held(), { timeout: 120_000, intervals: [0] }).toBe("held");
  async function held(): Promise<string> {
    await api.live(1);
    return (await api.credit(id)).status;
  }
  const note = `the bank confirmed the account again ${id}`;

  await open(page, "/");
  await page.getByRole("link", { name: "All open exceptions" }).click();
  await expect(title(page)).toHaveText("Exceptions");
  await settled(page);
  await page.getByLabel("Kind").selectOption("hard_return");
  await expect(page).toHaveURL(/kind=hard_return/);
  const row = page.getByRole("row").filter({ has: page.locator(`a[href^="/credits/${id}"]`) });
  await row.getByRole("button", { name: "Resolve" }).click();

  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("Hard return", { exact: true })).toBeVisible();
  await expect(dialog.getByLabel("What to do")).toHaveValue(/^release/);
  // Both sides are there: what the book knows, and what the report said.
  await expect(dialog).toContainText(/Debit 1 .*failed/);
  await expect(dialog).toContainText("Report says: failure R02, account closed");
  // What it would do is said before it is done.
  await expect(dialog.getByText("The hold ends")).toBeVisible();
  await dialog.getByLabel(/^Why/).fill(note);
  await dialog.getByRole("button", { name: "Resolve" }).click();
  await expect(dialog).toBeHidden();
  // The list is of the open ones.
  await expect(row).toHaveCount(0);

  await open(page, `/credits/${id}`);
  await expect(title(page)).toContainText("active");
  const resolved = await api.list<Exception>("/v1/exceptions?status=resolved&kind=hard_return&limit=200");
  const own = resolved.filter((exception) => exception.credit_id === id);
  expect(own.map((exception) => exception.resolution?.note)).toEqual([note]);
});
