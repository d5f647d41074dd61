// Search and shortcuts, by keyboard alone.

import type { Page } from "@playwright/test";
import type { Credit } from "./api";
import { expect, open, test, title } from "./paydown";

const dialog = (page: Page) => page.getByRole("dialog", { name: "Search" });
const field = (page: Page) => page.getByRole("combobox", { name: "Search" });
const chosen = (page: Page) => dialog(page).getByRole("option", { selected: true });

test("Ctrl-K finds a credit by its account and by its id, and Enter goes there", async ({ page, api }) => {
  const [credit] = await api.list<Credit>("/v1/credits?limit=1");
  if (!credit) throw new Error("the world has no credit");
  for (const text of [credit.account_id, credit.id]) {
    await open(page, "/debits");
    await page.keyboard.press("Control+k");
    await expect(field(page)).toBeFocused();
    await page.keyboard.type(text);
    // The list itself is offered at once; the credit, when the server has answered.
    await expect(dialog(page).getByRole("status")).toHaveText(/^[1-9]\d* found$/);
    await expect(chosen(page)).toContainText(credit.account_id);
    await page.keyboard.press("Enter");
    await expect(dialog(page)).toBeHidden();
    await expect(page).toHaveURL(/\/credits\/[0-9a-f-]+$/);
    await expect(title(page)).toContainText(credit.account_id);
  }
});

test("an amount finds the credits of it, a date what is due and the run, a name its page", async ({ page, api }) => {
  const [credit] = await api.list<Credit & { amount: number }>("/v1/credits?limit=1");
  const [run] = await api.list<{ id: string; business_date: string }>("/v1/runs?limit=1");
  if (!credit || !run) throw new Error("the world has no credit or no run");
  await open(page, "/debits");
  await page.keyboard.press("/");
  const amount = (credit.amount / 100).toLocaleString("en-US", { minimumFractionDigits: 2 });
  await page.keyboard.type(amount);
  await expect(chosen(page)).toContainText(amount);

  await field(page).fill(run.business_date);
  await expect(dialog(page).getByRole("option", { name: /^Run of/ }).first()).toBeVisible();
  await expect(chosen(page)).toContainText("Debits due");
  await page.keyboard.press("ArrowDown");
  await expect(chosen(page)).toContainText("Credits created");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/debits?from=${run.business_date}&to=${run.business_date}`);

  await page.keyboard.press("Control+k");
  await page.keyboard.type("exc");
  await expect(chosen(page)).toContainText("Exceptions");
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toBeHidden();
  await expect(page, "Esc goes nowhere").toHaveURL(/\/debits/);
});

test("what finds nothing still leads to the list", async ({ page }) => {
  await open(page, "/");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("nobody_has_this");
  await expect(dialog(page).getByRole("status")).toHaveText("0 found");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/credits?q=nobody_has_this");
});

test("g and a letter goes to a page, but not while typing", async ({ page }) => {
  await open(page, "/");
  for (const [letter, name] of [["c", "Credits"], ["d", "Debits"], ["r", "Reconciliation"], ["e", "Exceptions"],
    ["s", "Simulator"], ["k", "Keys"], ["t", "Settings"], ["o", "Overview"]] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await expect(page).toHaveTitle(`${name} · Paydown`);
  }
  await open(page, "/credits");
  await page.getByLabel("Find").focus();
  await page.keyboard.type("gd?/");
  await expect(page.getByLabel("Find")).toHaveValue("gd?/");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(title(page)).toHaveText("Credits");
});

test("? lists the shortcuts, and they can be switched off for good", async ({ page }) => {
  await open(page, "/debits");
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Shortcuts" });
  await expect(help.getByRole("listitem").filter({ hasText: "g c" })).toContainText("Credits");
  const choice = help.getByRole("checkbox");
  await expect(choice).toBeChecked();
  await choice.focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  for (const reload of [false, true]) {
    if (reload) await open(page, "/debits");
    for (const key of ["?", "/", "g", "c"]) await page.keyboard.press(key);
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(title(page)).toHaveText("Debits");
  }
  // The one with Ctrl is no single key.
  await page.keyboard.press("Control+k");
  await expect(field(page)).toBeFocused();
});
