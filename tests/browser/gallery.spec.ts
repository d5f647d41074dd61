// What the main pages look like: the README's gallery, in a book of fixed dates and with the page's clock standing still.
// `cargo xtask screenshots` takes the pictures anew.

import { BEGINS, live } from "./gallery";
import { PAGES } from "./pages";
import { expect, over } from "./paydown";

const test = over(live);

const LIGHT = { colorScheme: "light", viewport: { width: 1280, height: 800 } } as const;
const DARK = { ...LIGHT, colorScheme: "dark" } as const;
const NARROW = { ...LIGHT, viewport: { width: 360, height: 740 } } as const;

const GALLERY = [
  ["Overview", "light", LIGHT],
  ["Overview", "dark", DARK],
  ["Overview", "narrow", NARROW],
  ["Credit", "light", LIGHT],
  ["Credit", "dark", DARK],
  ["Credit", "narrow", NARROW],
  ["Credits", "light", LIGHT],
  ["Exceptions", "light", LIGHT],
  ["Reconciliation", "dark", DARK],
  ["Simulator", "light", LIGHT],
] as const;

/** So much may differ where another version of the browser draws the same letters. */
const MOST_PIXELS = 0.003;

for (const [name, kind, look] of GALLERY) {
  test.describe(`${name}, ${kind}`, () => {
    test.use(look);

    test("looks as it does in the gallery", async ({ page, api }) => {
      await page.clock.setFixedTime(BEGINS);
      const found = PAGES.find((candidate) => candidate.name === name);
      await found?.show(page, api);
      await page.evaluate(() => document.fonts.ready);
      const used = await page.evaluate(() => [...document.fonts].filter((font) => font.status === "loaded").length);
      expect(used, "the page writes in its own fonts").toBe(2);
      // The id of a credit is made by chance.
      const mask = [page.getByText(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]+$/)];
      const maskColor = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--quiet-paper"));
      const picture = { mask, maskColor, maxDiffPixelRatio: MOST_PIXELS };
      await expect(page).toHaveScreenshot(`${name.toLowerCase()}-${kind}.png`, picture);
    });
  });
}
