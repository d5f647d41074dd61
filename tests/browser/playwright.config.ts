// How the browser tests run: one after the other, in the machine's chromium, against one world that
// `world.ts` starts. A slow machine is waited for; nothing is tried twice.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";

const root = join(__dirname, "../..");

// `cargo xtask test` says which one; by hand, Debian's or Ubuntu's.
const chromium = process.env.PAYDOWN_CHROMIUM
  ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

export default defineConfig({
  testDir: ".",
  outputDir: join(root, "target/browser/results"),
  globalSetup: "./world.ts",
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 240_000,
  expect: { timeout: 30_000 },
  reporter: [["list"], ["json", { outputFile: join(root, "target/browser/report.json") }]],
  snapshotPathTemplate: "{testDir}/gallery/{arg}{ext}",
  // A picture that is not there is not taken in silence.
  updateSnapshots: "none",
  use: {
    baseURL: process.env.PAYDOWN_URL,
    viewport: { width: 1440, height: 900 },
    locale: "en-US",
    // The page writes instants in the zone of the business; this one must not shine through anywhere.
    timezoneId: "Asia/Tokyo",
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    screenshot: "only-on-failure",
    launchOptions: { executablePath: chromium },
  },
});
