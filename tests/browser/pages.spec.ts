// What holds on every page, light and dark: axe finds nothing, and all that the page needs is its own.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { DIALOGS, PAGES } from "./pages";
import { expect, open, test, title } from "./paydown";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    for (const { name, show } of [...PAGES, ...DIALOGS]) {
      test(`axe finds nothing on: ${name}`, async ({ page, api }) => {
        await show(page, api);
        expect(await findings(page)).toEqual([]);
      });
    }

    test.describe("logged out", () => {
      test.use({ loggedIn: false });

      test("axe finds nothing on: Login", async ({ page }) => {
        await page.goto("/");
        await expect(page.getByLabel("API key")).toBeVisible();
        expect(await findings(page)).toEqual([]);
      });
    });
  });
}

test("dark is dark", async ({ page }) => {
  await open(page, "/");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor
    + getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await ground()).not.toBe(light);
});

test("axe sees what is wrong", async ({ page }) => {
  await open(page, "/simulator");
  await page.evaluate(() => document.querySelector("main")?.append(document.createElement("button")));
  expect(await findings(page)).toEqual([expect.stringContaining("button-name")]);
});

test("the page's policy keeps foreign and inline scripts out, and it is seen when they are tried", async ({ page, complaints }) => {
  await open(page, "/simulator");
  expect(complaints).toEqual([]);
  await page.evaluate(() => {
    const inline = document.createElement("script");
    inline.textContent = "document.title = 'taken over'";
    document.body.append(inline);
  });
  await expect.poll(() => complaints.join("\n")).toContain("breach of script-src-elem: inline");
  expect(await page.title()).toBe("Simulator · Paydown");
  await page.evaluate(() => fetch("http://127.0.0.1:9/").catch(() => undefined));
  await expect.poll(() => complaints.join("\n")).toContain("breach of connect-src");
  complaints.length = 0;
});

test("a page that does not exist says so", async ({ page }) => {
  await page.goto("/no/such/page");
  await expect(title(page)).toHaveText("There is no such page");
});

async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 5).map((node) => node.target.join(" "));
    return `${id}: ${help}: ${nodes.length} at ${places.join(", ")}`;
  });
}
