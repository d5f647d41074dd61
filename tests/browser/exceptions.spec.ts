// Exceptions, one by one and many at once: how long each is open, decisions with a return code, a transaction that
// nobody knew, and all of a kind.

import type { Locator, Page } from "@playwright/test";
import type { Api, Exception } from "./api";
import { account, expect, open, test } from "./paydown";

const TERMS = { amount: 30_000, installments: 3, interval_days: 7 };

/** More than one request resolves. */
const MANY = 53;

test("all held by operators are released at once, after their count was typed", async ({ page, api }) => {
  const held: string[] = [];
  for (let n = 0; n < MANY; n += 1) {
    const id = await api.payOut(account("ok"), TERMS);
    await api.act(`/v1/credits/${id}/hold`, { note: "for the test" });
    held.push(id);
  }
  const count = (await openOf(api, "held_by_operator")).length;
  expect(count).toBeGreaterThanOrEqual(MANY);
  await open(page, "/exceptions");
  await expect(page.getByRole("button", { name: "Resolve all" })).toHaveCount(0);
  await page.getByLabel("Kind").selectOption("held_by_operator");
  await page.getByRole("button", { name: "Resolve all of this kind…" }).click();

  const dialog = page.getByRole("dialog", { name: "Resolve many at once" });
  await expect(dialog).toContainText(`${count} exceptions would be resolved`);
  await expect(dialog.getByLabel("What to do")).toHaveValue(/^release/);
  await dialog.getByLabel(/^Why/).fill("a false alarm");
  const typed = dialog.getByLabel(`Type ${count} to confirm`);
  const submit = dialog.getByRole("button", { name: `Resolve ${count}` });
  for (const wrong of ["", `${count + 1}`, "all"]) {
    await typed.fill(wrong);
    await expect(submit).toBeDisabled();
  }
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/v1/exceptions/resolutions")) asked += 1;
  });
  await typed.fill(`${count}`);
  await submit.dblclick();
  await expect(dialog.getByRole("status")).toContainText(/\d+ of \d+ resolved/);
  await expect(dialog).toBeHidden({ timeout: 120_000 });
  await expect(said(page)).toContainText(`Held by an operator: ${count} exceptions resolved, 0 left.`);
  expect(asked).toBeGreaterThan(1);
  expect(await openOf(api, "held_by_operator")).toEqual([]);
  const { timeline } = await api.credit(`${held.at(-1)}`);
  expect(timeline.filter(({ kind }) => kind === "released")).toHaveLength(1);
});

test("those of one run alone are closed, and the others left", async ({ page, api }) => {
  await api.payOut(account("badsilent"), TERMS);
  await api.live(1);
  await api.payOut(account("badsilent"), TERMS);
  await api.live(6);
  const all = await openOf(api, "credit_unconfirmed");
  const last = `${all.at(-1)?.run_id}`;
  const ofIt = all.filter(({ run_id }) => run_id === last);
  expect(all.length).toBeGreaterThan(ofIt.length);
  await open(page, "/exceptions?status=open&kind=credit_unconfirmed");
  await page.getByRole("button", { name: "Resolve all of this kind…" }).click();
  const dialog = page.getByRole("dialog", { name: "Resolve many at once" });
  await dialog.getByLabel("Opened by").selectOption(last);
  await dialog.getByLabel("What to do").selectOption("close it: it holds nothing");
  await dialog.getByLabel(/^Why/).fill("looked into");
  await dialog.getByLabel(`Type ${ofIt.length} to confirm`).fill(`${ofIt.length}`);
  await dialog.locator("button[type=submit]").click();
  await expect(dialog).toBeHidden();
  expect((await openOf(api, "credit_unconfirmed")).map(({ id }) => id))
    .toEqual(all.filter(({ run_id }) => run_id !== last).map(({ id }) => id));
});

test("an advance without word is decided with a return code, after how long it is open was seen", async ({ page, api }) => {
  const id = await api.payOut(account("badsilent"), TERMS);
  await api.live(8);
  await open(page, "/exceptions?status=open&kind=credit_unconfirmed");
  const row = rowOf(page, id);
  await expect(row).toContainText(/[1-9] days? open/);
  await row.getByRole("button", { name: "Resolve…" }).click();
  const dialog = page.getByRole("dialog", { name: "Resolve this exception" });
  await dialog.getByLabel("What to do").selectOption("decide: it failed");
  const submit = dialog.getByRole("button", { name: "Resolve", exact: true });
  await dialog.getByLabel("Return code").fill("R 03");
  await expect(dialog).toContainText("Enter a return code such as R01, or none.");
  await expect(submit).toBeDisabled();
  await dialog.getByLabel("Return code").fill("R03");
  await expect(dialog).toContainText("The advance: failure R03.");
  await dialog.getByLabel(/^Why/).fill("the bank wrote so");
  await submit.dblclick();
  await expect(dialog).toBeHidden();
  await expect(said(page)).toContainText("Advance without word: decided, from the next run on.");
  const observations = (await api.credit(id)).timeline.filter(({ kind }) => kind === "observation");
  expect(observations.map(({ detail }) => detail)).toEqual([expect.stringMatching(/failure R03.* by decision/)]);
});

test("a transaction that nobody knew is attached to the advance that it is", async ({ page, api }) => {
  // One is given a wrong name: its own is then a stranger's.
  const first = await api.payOut(account("drop"), TERMS);
  await api.act(`/v1/credits/${first}/attach`, { transaction_id: `wrong ${first}`, note: "misheard" });
  const strangers = async () => {
    await api.live(1);
    return (await openOf(api, "unknown_transaction")).length;
  };
  await expect.poll(strangers, { timeout: 120_000, intervals: [0] }).toBeGreaterThan(0);
  const [stranger] = await openOf(api, "unknown_transaction");
  const second = await api.payOut(account("drop"), TERMS);
  await open(page, "/exceptions?status=open&kind=unknown_transaction");
  await page.getByRole("row").filter({ hasText: `${stranger?.subject}` }).getByRole("button", { name: "Resolve…" }).click();
  const dialog = page.getByRole("dialog", { name: "Resolve this exception" });
  await dialog.getByLabel("What to do").selectOption("attach: it is a transaction of ours");
  const entry = dialog.getByLabel("Id of the credit, debit or refund");
  const submit = dialog.getByRole("button", { name: "Resolve", exact: true });
  await entry.fill("00000000-0000-7000-8000-000000000000");
  await expect(dialog).toContainText("Nothing of ours has this id.");
  await expect(submit).toBeDisabled();
  await entry.fill(second);
  await expect(dialog).toContainText(`its transaction is ${stranger?.subject}`);
  await dialog.getByLabel(/^Why/).fill("the bank wrote so");
  await submit.dblclick();
  await expect(dialog).toBeHidden();
  await expect(said(page)).toContainText("Unknown transaction: attached");
  expect((await api.credit(second)).transaction_id).toBe(stranger?.subject);
});

function openOf(api: Api, kind: string): Promise<Exception[]> {
  return api.list<Exception>(`/v1/exceptions?status=open&kind=${kind}&limit=200`);
}

function rowOf(page: Page, credit: string): Locator {
  return page.getByRole("row").filter({ has: page.locator(`a[href^="/credits/${credit}"]`) });
}

function said(page: Page): Locator {
  return page.getByRole("region", { name: "What was done" }).getByRole("status");
}
