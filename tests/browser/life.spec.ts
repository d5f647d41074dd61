// A credit's life as an operator sees it, moved on by the sandbox's clock.

import { account, expect, go, moveClock, open, test, title } from "./paydown";

test("an advance is paid out, becomes active, and is repaid", async ({ page, api }) => {
  const name = account("ok");
  const id = await api.payOut(name, { amount: 20_000, installments: 2, interval_days: 1 });
  const lookAt = async () => {
    await go(page, "Credits");
    await page.getByRole("link", { name }).click();
    await expect(page).toHaveURL(`/credits/${id}`);
  };

  await open(page, `/credits/${id}`);
  await expect(title(page)).toContainText(`${name} `);
  await expect(title(page)).toContainText("pending");
  await expect(page.getByText("Not planned yet")).toBeVisible();

  await go(page, "Simulator");
  // The bank says after a full day that the advance arrived: the second morning's run reads it.
  await moveClock(page, "One day on", 1);
  await moveClock(page, "One day on", 1);
  await lookAt();
  await expect(title(page)).toContainText("active");
  await expect(page.getByRole("link", { name: /^Story of debit/ })).toHaveCount(2);

  await go(page, "Simulator");
  await moveClock(page, "One week on", 7);
  await lookAt();
  await expect(title(page)).toContainText("repaid");
  await expect(page.locator("#debit-1, #debit-2").getByText("collected")).toHaveCount(2);
});
