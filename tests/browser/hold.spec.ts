// Holding and releasing a credit: what it would do is said first, and it is done once.

import type { Page } from "@playwright/test";
import type { Api } from "./api";
import { account, expect, forgiven, open, test, title } from "./paydown";

/** An active credit, and its page. */
async function active(page: Page, api: Api): Promise<string> {
  const id = await api.payOut(account("ok"), { amount: 90_000, installments: 3, interval_days: 7 });
  await api.live(2);
  await open(page, `/credits/${id}`);
  await expect(title(page)).toContainText("active");
  return id;
}

/** The Idempotency-Key of each request that acts. */
function keysOf(page: Page, action: string): (string | undefined)[] {
  const keys: (string | undefined)[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith(`/${action}`)) {
      keys.push(request.headers()["idempotency-key"]);
    }
  });
  return keys;
}

async function happened(api: Api, id: string, kind: string): Promise<number> {
  const { timeline } = await api.credit(id);
  return timeline.filter((entry) => entry.kind === kind).length;
}

test("a double click holds once, and once releases, each after saying what would follow", async ({ page, api }) => {
  const id = await active(page, api);
  const steps = [
    { action: "Hold", then: "held", kind: "held", effects: ["nothing is issued until it is released", "3 debits, $900.00 in all, would wait"] },
    { action: "Release", then: "active", kind: "released", effects: ["The hold ends"] },
  ];
  for (const { action, then, kind, effects } of steps) {
    const keys = keysOf(page, action.toLowerCase());
    await page.getByRole("button", { name: `${action}…` }).click();
    const dialog = page.getByRole("dialog", { name: `${action} this credit` });
    for (const effect of effects) await expect(dialog).toContainText(effect);
    // Nothing is done before somebody says why.
    await dialog.getByRole("button", { name: action, exact: true }).click();
    await expect(dialog).toBeVisible();
    expect(keys).toEqual([]);
    await dialog.getByLabel(/^Why/).fill("a customer called");
    await dialog.getByRole("button", { name: action, exact: true }).dblclick();
    await expect(dialog).toBeHidden();
    await expect(title(page)).toContainText(then);
    expect(new Set(keys).size, `keys: ${keys}`).toBe(1);
    expect(keys[0]).toMatch(/^\S{16,}$/);
    expect(await happened(api, id, kind)).toBe(1);
  }
});

test("another try after a lost answer is the same act", async ({ page, api, complaints }) => {
  const id = await active(page, api);
  const keys = keysOf(page, "hold");
  let losing = true;
  await page.route("**/hold", async (route) => {
    if (!losing) return route.continue();
    losing = false;
    await route.fetch();
    await route.abort();
  });
  await page.getByRole("button", { name: "Hold…" }).click();
  const dialog = page.getByRole("dialog", { name: "Hold this credit" });
  await dialog.getByLabel(/^Why/).fill("a customer called");
  const button = dialog.getByRole("button", { name: "Hold", exact: true });
  await button.click();
  await expect(dialog.getByRole("alert")).toContainText("The server cannot be reached");
  await button.click();
  await expect(dialog).toBeHidden();
  await expect(title(page)).toContainText("held");
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  expect(await happened(api, id, "held")).toBe(1);
  forgiven(complaints, "net::ERR_FAILED");
});

test("each dialog is an act of its own", async ({ page, api }) => {
  await active(page, api);
  const keys: (string | undefined)[] = [];
  await page.route("**/hold", (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    return route.fulfill({ status: 200, json: {} });
  });
  const dialog = page.getByRole("dialog", { name: "Hold this credit" });
  for (const note of ["once", "and again"]) {
    await page.getByRole("button", { name: "Hold…" }).click();
    await dialog.getByLabel(/^Why/).fill(note);
    await dialog.getByRole("button", { name: "Hold", exact: true }).click();
    await expect(dialog).toBeHidden();
  }
  expect(new Set(keys).size).toBe(2);
});
