// The address holds what is looked at: filter and order. Back and Forward work, and a link shows the same.

import { expect, open, settled, test } from "./paydown";

test("Back and Forward go through filter and order, and a link shows the same", async ({ page, context }) => {
  const status = page.getByLabel("Status");
  const created = page.getByRole("columnheader", { name: "Created" });
  const rows = page.getByRole("table").locator("tbody tr");

  await open(page, "/credits");
  const all = await rows.count();
  await status.selectOption("active");
  await expect(page).toHaveURL("/credits?status=active");
  await settled(page);
  await created.getByRole("link").click();
  await expect(page).toHaveURL(/sort=created_at/);
  await expect(created).toHaveAttribute("aria-sort", "ascending");
  await settled(page);
  const filtered = await rows.allTextContents();
  expect(filtered.length).toBeGreaterThan(0);
  expect(filtered.length).toBeLessThan(all);
  expect(filtered.filter((row) => !row.includes("active"))).toEqual([]);

  const other = await context.newPage();
  await open(other, page.url());
  await expect(other.getByLabel("Status")).toHaveValue("active");
  expect(await other.getByRole("table").locator("tbody tr").allTextContents()).toEqual(filtered);
  await other.close();

  await page.goBack();
  await expect(created).toHaveAttribute("aria-sort", "descending");
  await expect(status).toHaveValue("active");
  await page.goBack();
  await expect(status).toHaveValue("");
  await settled(page);
  await expect(rows).toHaveCount(all);
  await page.goForward();
  await expect(status).toHaveValue("active");
  await settled(page);
  await expect(rows).toHaveCount(filtered.length);
});

test("a text that is looked for is in the address, and found", async ({ page }) => {
  await open(page, "/credits");
  await page.getByLabel("Find").fill("world_ok_long");
  await page.getByLabel("Find").press("Enter");
  await expect(page).toHaveURL("/credits?q=world_ok_long");
  await expect(page.getByRole("table").locator("tbody tr")).toHaveCount(1);
  await expect(page.getByRole("link", { name: "world_ok_long" })).toBeVisible();
});
