// The keys: made, shown once, revoked; and the settings in force.

import { randomUUID } from "node:crypto";
import type { Page } from "@playwright/test";
import { account, expect, forgiven, open, test, title } from "./paydown";

async function make(page: Page, label: string): Promise<string> {
  await page.getByLabel("Label of a new key").fill(label);
  await page.getByRole("button", { name: "Make a key" }).click();
  const told = page.getByRole("status").filter({ hasText: "is shown only now" });
  await expect(told).toContainText(label);
  return (await told.locator("code").textContent()) ?? "";
}

test("a key is made, shown once, copied, works, shows its last use, and is revoked", async ({ page, context, baseURL, api }) => {
  const label = `test ${randomUUID().slice(0, 8)}`;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "/keys");
  const secret = await make(page, label);
  expect(secret).toMatch(/^pd_\S{40,}$/);
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  const works = () => fetch(`${baseURL}/v1/credits`, { headers: { authorization: `Bearer ${secret}` } });
  expect((await works()).status).toBe(200);

  const row = page.getByRole("row").filter({ hasText: label });
  await expect(row).toContainText("read");
  await page.getByRole("button", { name: "It is kept: hide it" }).click();
  await expect(page.getByText(secret)).toHaveCount(0);
  await open(page, "/keys");
  await expect(row).toBeVisible();
  await expect(page.getByText(secret), "shown once").toHaveCount(0);
  const kept = await api.list<{ label: string; last_used_on: string | null }>("/v1/keys?limit=200");
  const lastUse = kept.find((key) => key.label === label)?.last_used_on;
  expect(lastUse).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  await expect(row.locator(`time[datetime="${lastUse}"]`)).toBeVisible();

  await row.getByRole("button", { name: /^Revoke/ }).click();
  const dialog = page.getByRole("dialog", { name: "Revoke this key" });
  await expect(dialog).toContainText(label);
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await expect(dialog).toBeHidden();
  await expect(row.getByRole("button")).toHaveCount(0);
  expect((await works()).status).toBe(401);
});

test("who may not make keys is told which scope is missing", async ({ page, complaints }) => {
  await open(page, "/keys");
  const secret = await make(page, account("reader"));
  await page.request.post("/v1/session", { data: { key: secret } });
  await page.goto("/keys");
  await expect(title(page)).toHaveText("Keys");
  const face = page.locator("main").getByRole("alert").filter({ hasText: "does not allow this" });
  await expect(face).toContainText("the scope admin is needed");
  await expect(face.getByRole("button"), "asking again is of no use").toHaveCount(0);
  await expect(page.getByRole("button", { name: "Make a key" })).toHaveCount(0);
  forgiven(complaints, "status of 403");
});

test("the settings are those in force, and the codes those of the law", async ({ page }) => {
  await open(page, "/settings");
  const settings = await (await page.request.get("/v1/settings")).json();
  const value = (name: string) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) }).locator("td").first();
  await expect(value("TIMEOUT_DAYS")).toHaveText(`${settings.policy.timeout_days} days`);
  await expect(value("BUSINESS_TIME_ZONE")).toHaveText(settings.business_time_zone);
  const most = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(settings.max_advance / 100);
  await expect(value("MAX_ADVANCE")).toHaveText(most);
  await expect(value("R01")).toHaveText("Insufficient funds");
  await expect(page.getByRole("region", { name: /^Code/ }).locator("tbody tr")).toHaveCount(13);
  await expect(page.getByRole("link", { name: "API", exact: true })).toHaveAttribute("href", "/docs");
});
