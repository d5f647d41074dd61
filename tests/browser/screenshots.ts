// Not a test: the pictures of the main pages, light and dark, into the folder PAYDOWN_SCREENSHOTS.

import { join } from "node:path";
import { PAGES } from "./pages";
import { test } from "./paydown";

const FOLDER = process.env.PAYDOWN_SCREENSHOTS ?? join(__dirname, "../../target/screenshots");

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    for (const { name, show } of PAGES) {
      test(name, async ({ page, api }) => {
        await show(page, api);
        const file = `${name.toLowerCase().replace(/[^a-z]+/g, "-")}-${colorScheme}.png`;
        await page.screenshot({ path: join(FOLDER, file), animations: "disabled" });
      });
    }
  });
}
