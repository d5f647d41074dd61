// The installation's brake: from any page it is put on and off, and every page says that it is on.

import type { Page } from "@playwright/test";
import { expect, go, open, test } from "./paydown";

const banner = (page: Page) => page.getByRole("region", { name: "A stop is in force" });

test.afterEach(async ({ api }) => {
  await api.act("/v1/start", { note: "the test is over" });
});

test("a stop is put on from one page, said on every other, and ended from there", async ({ page, api }) => {
  await open(page, "/debits");
  await expect(banner(page)).toHaveCount(0);
  await page.getByRole("button", { name: "Stop…" }).click();
  const stopping = page.getByRole("dialog", { name: "Stop the installation" });
  await expect(stopping).toContainText("No advance, no debit and no refund leaves");
  await stopping.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(stopping, "nobody said why").toBeVisible();
  expect((await api.stop()).in_force).toBe(false);
  await stopping.getByLabel(/^Why/).fill("the bank called");
  await stopping.getByRole("button", { name: "Stop", exact: true }).dblclick();
  await expect(stopping).toBeHidden();
  await expect(page.getByText("Stopped. Nothing leaves until somebody starts again.")).toBeVisible();
  const stop = await api.stop();
  expect(stop).toMatchObject({ in_force: true, note: "the bank called" });

  for (const name of ["Overview", "Exceptions", "Reconciliation"]) {
    await go(page, name);
    await expect(banner(page)).toContainText(`by ${stop.actor}: the bank called`);
    await expect(banner(page).locator("time")).toBeVisible();
  }
  await page.getByRole("button", { name: "Start…" }).click();
  const starting = page.getByRole("dialog", { name: "Start the installation" });
  await starting.getByLabel(/^Why/).fill("all is well");
  await starting.getByRole("button", { name: "Start", exact: true }).click();
  await expect(banner(page)).toHaveCount(0);
  expect(await api.stop()).toMatchObject({ in_force: false, note: "all is well" });
});

test("what the dialog was opened for is what it does, whatever somebody else does meanwhile", async ({ page, api }) => {
  await open(page, "/");
  await page.getByRole("button", { name: "Stop…" }).click();
  const dialog = page.getByRole("dialog", { name: "Stop the installation" });
  await dialog.getByLabel(/^Why/).fill("I heard it too");
  await api.act("/v1/stop", { note: "somebody else was faster" });
  await expect(banner(page)).toBeVisible();
  await dialog.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(dialog).toBeHidden();
  expect(await api.stop()).toMatchObject({ in_force: true, note: "somebody else was faster" });
});
