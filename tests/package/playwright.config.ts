// The JavaScript package in the machine's chromium. Nothing is tried twice.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";

const root = join(__dirname, "../..");

// `cargo xtask test` says which one; by hand, Debian's or Ubuntu's.
const chromium = process.env.PAYDOWN_CHROMIUM
  ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  outputDir: join(root, "target/package-browser/results"),
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 240_000,
  reporter: [["list"], ["json", { outputFile: join(root, "target/package-browser/report.json") }]],
  use: { launchOptions: { executablePath: chromium } },
});
