// Who may only read is offered nothing to do, and told why; who tries all the same is refused, and told so.

import { randomUUID } from "node:crypto";
import type { Api } from "./api";
import { account, expect, forgiven, open, test } from "./paydown";

async function readingKey(api: Api): Promise<string> {
  const { key } = await api.act<{ key: string }>("/v1/keys", { scopes: ["read"], label: `reads ${randomUUID()}` });
  return key;
}

test("a key without the scope to operate sees everything, and is offered no act", async ({ page, api }) => {
  const id = await api.payOut(account("ok"), { amount: 20_000, installments: 2, interval_days: 7 });
  const paths = [`/credits/${id}`, "/exceptions?status=open&kind=hard_return", "/runs"];
  const offered = page.getByRole("button", { name: /^(Hold|More|Resolve|Run now|Stop|One day on)/ });
  for (const path of paths) {
    await open(page, path);
    await expect(offered.first()).toBeVisible();
  }
  const answer = await page.request.post("/v1/session", { data: { key: await readingKey(api) } });
  expect(answer.ok()).toBe(true);
  for (const path of paths) {
    await open(page, path);
    await expect(page.getByText("This key reads only")).toBeVisible();
    await expect(offered).toHaveCount(0);
  }
});

test("an act that is refused for want of the scope says so", async ({ page, api, complaints }) => {
  const id = await api.payOut(account("ok"), { amount: 20_000, installments: 2, interval_days: 7 });
  await open(page, `/credits/${id}`);
  await page.getByRole("button", { name: "Hold…" }).click();
  const dialog = page.getByRole("dialog", { name: "Hold this credit" });
  await dialog.getByLabel(/^Why/).fill("a customer called");
  await expect(dialog.getByRole("button", { name: "Hold", exact: true })).toBeEnabled();
  // Somebody else logs in meanwhile, in another tab.
  await page.request.post("/v1/session", { data: { key: await readingKey(api) } });
  await dialog.getByRole("button", { name: "Hold", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("The API key does not allow this");
  await expect(dialog.getByRole("alert")).toContainText("the scope operate is needed");
  expect((await api.credit(id)).timeline.filter(({ kind }) => kind === "held")).toEqual([]);
  forgiven(complaints, "status of 403");
});
