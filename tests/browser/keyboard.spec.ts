// All of it by keyboard alone.

import type { Locator, Page } from "@playwright/test";
import { account, expect, KEY, open, test, title } from "./paydown";

/** Goes on by Tab until `target` has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not get to ${target}`);
}

/** Whether what has the focus can be seen to have it. */
function outlined(target: Locator): Promise<boolean> {
  return target.evaluate((element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== "none" && outlineWidth !== "0px";
  });
}

test.describe("logged out", () => {
  test.use({ loggedIn: false });

  test("from the login to a hold that is thought better of", async ({ page, api }) => {
    const name = account("ok");
    const id = await api.payOut(name, { amount: 20_000, installments: 2, interval_days: 7 });
    await page.goto("/");
    await tabTo(page, page.getByLabel("API key"));
    await page.keyboard.type(KEY);
    await page.keyboard.press("Enter");
    await expect(title(page)).toHaveText("Overview");

    const credits = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Credits" });
    await tabTo(page, credits);
    expect(await outlined(credits)).toBe(true);
    await page.keyboard.press("Enter");
    await expect(title(page)).toHaveText("Credits");
    await expect(page.getByRole("main"), "a new page takes the focus").toBeFocused();
    await expect(page).toHaveTitle("Credits · Paydown");

    await tabTo(page, page.getByLabel("Find"));
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(`/credits?q=${name}`);
    await tabTo(page, page.getByRole("link", { name }));
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(`/credits/${id}`);

    const hold = page.getByRole("button", { name: "Hold…" });
    const dialog = page.getByRole("dialog", { name: "Hold this credit" });
    await tabTo(page, hold);
    await page.keyboard.press("Enter");
    await expect(dialog).toBeVisible();
    await tabTo(page, dialog.getByRole("button", { name: "Cancel" }));
    await page.keyboard.press("Enter");
    await expect(dialog).toBeHidden();
    await expect(hold, "the focus is where it came from").toBeFocused();

    await page.keyboard.press("Enter");
    await expect(dialog).toBeVisible();
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
    await page.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
    await expect(hold).toBeFocused();
    expect((await api.credit(id)).status).toBe("pending");
  });
});

test("the first Tab offers to skip to the page", async ({ page }) => {
  await open(page, "/debits");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the page" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
});
