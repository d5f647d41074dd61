// What an action did is said in a corner: what was done goes away by itself or when it is dismissed, what failed stays
// until somebody has dismissed it.

import type { Page } from "@playwright/test";
import { account, expect, forgiven, moveClock, open, test } from "./paydown";

const corner = (page: Page) => page.getByRole("region", { name: "What was done" });

test("a run of now says what came of it; it can be dismissed, and goes by itself", async ({ page }) => {
  await page.clock.install();
  await open(page, "/runs");
  const said = corner(page).getByRole("status");
  await page.getByRole("button", { name: "Run now" }).click();
  await expect(said).toContainText(/^The run of .* is (running|complete|incomplete)\./);
  await corner(page).getByRole("button", { name: "Dismiss" }).click();
  await expect(said).toBeEmpty();

  await page.getByRole("button", { name: "Run now" }).click();
  await expect(said).not.toBeEmpty();
  await page.clock.fastForward(31_000);
  await expect(said).toBeEmpty();
});

test("a failure stays until it is dismissed, and names the request", async ({ page, complaints }) => {
  await page.clock.install();
  const problem = { type: "about:blank", title: "Try again", status: 503, detail: "not now", code: "unavailable", request_id: "req-of-the-test" };
  await page.route("**/v1/runs", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(problem) })
      : route.continue(),
  );
  await open(page, "/runs");
  await page.getByRole("button", { name: "Run now" }).click();
  const failed = corner(page).getByRole("alert");
  await expect(failed).toContainText("req-of-the-test");
  await page.clock.fastForward(120_000);
  await expect(failed).toContainText("Try again");
  await failed.getByRole("button", { name: "Dismiss" }).click();
  await expect(failed).toBeEmpty();
  forgiven(complaints, "status of 503");
});

test("the sandbox's clock says how many days were lived through", async ({ page }) => {
  await open(page, "/debits");
  await moveClock(page, "One day on", 1);
  await expect(corner(page).getByRole("status")).toContainText("Lived through 1 day.");
});

test("what comes of an act whose dialog was closed meanwhile is said in the corner", async ({ page, api, complaints }) => {
  const id = await api.payOut(account("ok"), { amount: 20_000, installments: 2, interval_days: 7 });
  let breakOff = () => {};
  const waiting = new Promise<void>((resolve) => {
    breakOff = resolve;
  });
  await page.route("**/hold", async (route) => {
    await waiting;
    await route.abort();
  });
  await open(page, `/credits/${id}`);
  await page.getByRole("button", { name: "Hold…" }).click();
  const dialog = page.getByRole("dialog", { name: "Hold this credit" });
  await dialog.getByLabel(/^Why/).fill("a customer called");
  await dialog.getByRole("button", { name: "Hold", exact: true }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  breakOff();
  await expect(corner(page).getByRole("alert")).toContainText("The server cannot be reached");
  forgiven(complaints, "net::ERR_FAILED");
});
