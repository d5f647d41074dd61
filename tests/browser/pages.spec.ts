// What holds on every page, light and dark, wide and narrow: axe finds nothing, nothing is cut off, and all that the
// page needs is its own.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { FACES, PAGES, SOURCES, STATES } from "./pages";
import { expect, forgiven, open, test, title } from "./paydown";

// The window of a desk, and that of a phone.
const WINDOWS = [[1280, "light"], [360, "dark"]] as const;

for (const { name, show, leave } of [...PAGES, ...STATES]) {
  test(`nothing is wrong on: ${name}`, async ({ page, api }) => {
    try {
      await show(page, api);
      await examine(page);
    } finally {
      await leave?.(api);
    }
  });
}

// The faces are the same on all pages: in short, those of one page are examined.
for (const [path, source] of process.env.PAYDOWN_FULL ? SOURCES : SOURCES.slice(0, 1)) {
  for (const { name, answer, complaint } of FACES) {
    test(`nothing is wrong on: ${path}, ${name}`, async ({ page, complaints }) => {
      await page.route(source, answer);
      await page.goto(path);
      await expect(page.locator("#shell")).toHaveCount(0);
      const face = complaint ? page.getByRole("alert") : page.locator(".skeleton, [aria-busy=true]");
      await expect(face.first()).toBeVisible();
      await examine(page);
      if (complaint) forgiven(complaints, complaint);
    });
  }
}

test("nothing is wrong on: the shell, before the app has come and when it cannot", async ({ page, complaints }) => {
  let fail = () => {};
  const held = new Promise<void>((resolve) => {
    fail = resolve;
  });
  await page.route("**/*.wasm", async (route) => {
    await held;
    await route.abort();
  });
  await page.goto("/", { waitUntil: "commit" });
  await expect(page.getByText("Loading the dashboard…")).toBeVisible();
  await examine(page);
  fail();
  await expect(page.getByRole("alert")).toContainText("could not be loaded");
  await examine(page);
  expect(complaints.length).toBeGreaterThan(0);
  complaints.length = 0;
});

test.describe("logged out", () => {
  test.use({ loggedIn: false });

  test("nothing is wrong on: Login", async ({ page }) => {
    await page.goto("/");
    await expect(page.getByLabel("API key")).toBeVisible();
    await examine(page);
  });
});

test("axe sees what is wrong", async ({ page }) => {
  await open(page, "/simulator");
  await page.evaluate(() => document.querySelector("main")?.append(document.createElement("button")));
  expect(await findings(page)).toEqual([expect.stringContaining("button-name")]);
});

test("what is wider than the window is seen", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 900 });
  await open(page, "/simulator");
  expect(await beyond(page)).toBe(0);
  await page.evaluate(() => document.querySelector("h1")?.append("overlong".repeat(20)));
  expect(await beyond(page)).toBeGreaterThan(0);
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

/** In both windows: axe finds nothing, and the page itself scrolls only downward. In short a desk is light and a phone dark; in
 * full both are both. */
async function examine(page: Page): Promise<void> {
  for (const [width, own] of WINDOWS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: own });
    expect(await findings(page), `axe, ${own}, ${width} px`).toEqual([]);
    if (process.env.PAYDOWN_FULL) {
      // In the other colours the page is the same but for them.
      const other = own === "light" ? "dark" : "light";
      await page.emulateMedia({ colorScheme: other });
      expect(await findings(page, ["color-contrast"]), `axe, ${other}, ${width} px`).toEqual([]);
    }
    expect(await beyond(page), `pixels beyond the ${width} of the window`).toBe(0);
  }
}

/** So many pixels of the page are beyond the window's right edge. */
function beyond(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** What axe finds by all of its rules, that of WCAG 2.2 included which it leaves out by itself, or by some. */
async function findings(page: Page, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const all = axe.options({ rules: { "target-size": { enabled: true } } });
  const { violations } = await (rules ? axe.withRules(rules) : all).analyze();
  return violations.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 5).map((node) => node.target.join(" "));
    return `${id}: ${help}: ${nodes.length} at ${places.join(", ")}`;
  });
}
