// Logging in with a key, and out again.

import { expect, KEY, test, title } from "./paydown";

test.use({ loggedIn: false });

test("a wrong key is told so, the right one opens the Overview, and logging out closes it", async ({ page, complaints }) => {
  await page.goto("/");
  const key = page.getByLabel("API key");
  const enter = page.getByRole("button", { name: "Log in" });

  await key.fill("pd_nobody");
  await enter.click();
  await expect(page.getByRole("alert").getByText(/./).first()).toBeVisible();
  await expect(page.getByRole("navigation")).toHaveCount(0);

  await key.fill(KEY);
  await enter.click();
  await expect(title(page)).toHaveText("Overview");
  await expect(page.getByRole("heading", { name: "Where the money is" })).toBeVisible();
  // A script cannot read who is logged in.
  expect(await page.evaluate(() => document.cookie)).toBe("");

  await page.getByRole("button", { name: "Log out" }).click();
  await expect(key).toHaveCount(1);
  await page.reload();
  await expect(key).toBeVisible();
  await expect(page.getByText("Where the money is")).toHaveCount(0);
  // What was on the screen was asked for once more, and refused: the browser reports each such answer.
  expect(complaints.filter((complaint) => !complaint.includes("status of 401"))).toEqual([]);
  complaints.length = 0;
});
