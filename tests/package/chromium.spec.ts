// The JavaScript package in a page of its own, served from the folder where it was built.

import { expect, test } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const root = join(__dirname, "../..");
const built = join(root, "core/js/build");
const vectors = process.env.PAYDOWN_VECTORS ?? join(root, "tests/vectors");

const page = `<!doctype html>
<title>paydown</title>
<script type="importmap">{ "imports": { "paydown": "/paydown/browser.js" } }</script>
<script type="module">
  import * as paydown from "paydown";
  import { checkPlans, checkScenarios } from "/vectors.mjs";
  const json = async (path) => (await fetch(path)).json();
  globalThis.paydown = paydown;
  globalThis.plans = async () => checkPlans(paydown, await json("/vectors/plans.json"));
  globalThis.scenarios = async () => checkScenarios(paydown, await json("/vectors/scenarios.json"));
  document.title = "ready";
</script>`;

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What lies behind a path; nothing else is served. */
async function contents(path: string): Promise<string | Buffer | undefined> {
  const [, folder, file] = path.match(/^\/(paydown|vectors)\/(\w+\.(?:js|wasm|json))$/) ?? [];
  if (path === "/page.html") return page;
  if (path === "/vectors.mjs") return readFile(join(__dirname, "vectors.mjs"));
  if (folder && file) return readFile(join(folder === "paydown" ? built : vectors, file));
  return undefined;
}

let server: Server;
let address: string;

test.beforeAll(async () => {
  server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const found = await contents(path).catch(() => undefined);
    response.writeHead(found === undefined ? 404 : 200, {
      "content-type": types[extname(path)] ?? "text/plain",
      // What a careful page allows: its own scripts, and WebAssembly.
      "content-security-policy": "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
    });
    response.end(found);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

test.afterAll(() => server.close());

test.beforeEach(async ({ page }) => {
  page.on("pageerror", (error) => console.error(error));
  await page.goto(`${address}/page.html`);
  await expect(page).toHaveTitle("ready");
});

test("the vectors agree in Chromium", async ({ page, browser }) => {
  const plans = await page.evaluate("plans()");
  const { scenarios, runs } = await page.evaluate<{ scenarios: number; runs: number }>("scenarios()");
  expect(plans).toBeGreaterThan(0);
  expect(scenarios).toBeGreaterThan(0);
  console.log(
    `figures: ${plans} plans, ${scenarios} scenarios over ${runs} runs agree in Chromium ${browser.version()}`,
  );
});

test("an error is the package's own in Chromium too", async ({ page }) => {
  const thrown = await page.evaluate(`(() => {
    try { paydown.plan({ amount: 0.5, start_date: "2026-01-05" }); } catch (error) {
      return [error instanceof paydown.PaydownError, error instanceof Error, error.code, error.path];
    }
  })()`);
  expect(thrown).toEqual([true, true, "bad_input", "request.amount"]);
});
