// Not a test: the README's gallery, ten pictures of the main pages, into the folder PAYDOWN_SCREENSHOTS.

import { join } from "node:path";
import { PAGES } from "./pages";
import { test } from "./paydown";

const FOLDER = process.env.PAYDOWN_SCREENSHOTS ?? join(__dirname, "gallery");

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

for (const [name, kind, look] of GALLERY) {
  test.describe(`${name}, ${kind}`, () => {
    test.use(look);

    test("is taken", async ({ page, api }) => {
      const found = PAGES.find((candidate) => candidate.name === name);
      await found?.show(page, api);
      await page.screenshot({ path: join(FOLDER, `${name.toLowerCase()}-${kind}.png`), animations: "disabled" });
    });
  });
}
