// The dashboard's Overview as a first visit sees it, by Lighthouse on a desktop: from the Worker, compressed as the
// platform's edge compresses it. And its list of credits, how long a filter of it takes.

import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { chromium as browsers } from "@playwright/test";
import { median } from "./load.mjs";
import { KEY, start } from "./runtime.mjs";

/** Scores from 0 to 100, and milliseconds; of all visits the median of each. */
export const page = async ({ processor, state, ledger, lighthouse, chromium, visits }) => {
  const runtime = await start(["paydown"], { state: join(state, "page"), processor, ledger, assets: true });
  const edge = await compressing(await runtime.address());
  const address = `http://127.0.0.1:${edge.address().port}`;
  const cookie = await logIn(address);
  const { default: visit, desktopConfig } = await import(pathToFileURL(join(lighthouse, "lighthouse/core/index.js")));
  const { launch } = await import(pathToFileURL(join(lighthouse, "chrome-launcher/dist/index.js")));
  const seen = [];
  for (let number = 0; number < visits; number += 1) {
    const chrome = await launch({ chromePath: chromium, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
    const { lhr } = await visit(address, { port: chrome.port, logLevel: "error", extraHeaders: { Cookie: cookie } }, desktopConfig);
    chrome.kill();
    seen.push(said(lhr));
    process.stdout.write(`visit ${number}: ${JSON.stringify(seen.at(-1))}\n`);
  }
  const filtered = await filters(address, cookie, chromium, 20 * visits);
  edge.close();
  await runtime.stop();
  const figures = Object.keys(seen[0]).filter((figure) => figure !== "failed");
  return {
    ...Object.fromEntries(figures.map((figure) => [figure, median(seen.map((one) => one[figure]))])),
    failed: seen.at(-1).failed,
    filtered: median(filtered),
  };
};

/** How long each of some filters takes, from when it is entered until its rows are painted, in milliseconds. */
const filters = async (address, cookie, chromium, count) => {
  const browser = await browsers.launch({ executablePath: chromium });
  const context = await browser.newContext();
  const [name, value] = cookie.split("=");
  await context.addCookies([{ name, value, url: address }]);
  const page = await context.newPage();
  await page.goto(`${address}/credits`);
  await page.getByRole("row").nth(50).waitFor();
  const took = [];
  for (let number = 0; number < count; number += 1) {
    // Each finds one.
    took.push(await page.evaluate(filter, `acct_${100 + number}`));
    await page.evaluate(filter, "");
  }
  await browser.close();
  return took;
};

/** In the page: enters a text, and waits until the list has only what it finds. */
const filter = (text) => new Promise((resolve) => {
  const main = document.querySelector("main");
  const input = main.querySelector("input[type=search]");
  const before = main.querySelectorAll("tbody tr").length;
  const observer = new MutationObserver(() => {
    const rows = [...main.querySelectorAll("tbody tr")];
    if (rows.length === before || rows.length === 0 || !rows.every((row) => row.textContent.includes(text))) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - at)));
  });
  observer.observe(main, { childList: true, subtree: true });
  const at = performance.now();
  input.value = text;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});

const said = ({ categories, audits }) => ({
  performance: Math.round(categories.performance.score * 100),
  accessibility: Math.round(categories.accessibility.score * 100),
  bestPractices: Math.round(categories["best-practices"].score * 100),
  firstPaint: audits["first-contentful-paint"].numericValue,
  largestPaint: audits["largest-contentful-paint"].numericValue,
  interactive: audits.interactive.numericValue,
  blocked: audits["total-blocking-time"].numericValue,
  shifted: audits["cumulative-layout-shift"].numericValue,
  failed: Object.values(audits).filter(({ score, scoreDisplayMode }) => scoreDisplayMode === "binary" && score === 0)
    .map(({ id }) => id),
});

/** The session's cookie, for which the key is exchanged. */
const logIn = async (address) => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${address}/v1/session`, { method: "POST", headers, body: JSON.stringify({ key: KEY }) });
  if (!response.ok) throw new Error(`the login answered ${response.status}: ${await response.text()}`);
  return response.headers.getSetCookie()[0].split(";")[0];
};

/** Hands everything on, and compresses what the edge would. */
const compressing = async (behind) => {
  const compressed = new Map();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, "accept-encoding": _, ...headers } = request.headers;
    const answer = await fetch(behind + request.url, {
      method: request.method, headers, redirect: "manual", body: chunks.length ? Buffer.concat(chunks) : undefined,
    });
    let body = Buffer.from(await answer.arrayBuffer());
    const own = Object.fromEntries(answer.headers);
    delete own["content-encoding"];
    delete own["transfer-encoding"];
    own["set-cookie"] = answer.headers.getSetCookie();
    if (own["set-cookie"].length === 0) delete own["set-cookie"];
    if (/text|javascript|json|wasm|svg/.test(own["content-type"] ?? "") && body.length > 1000) {
      const key = request.url + body.length;
      compressed.set(key, compressed.get(key) ?? await promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      body = compressed.get(key);
      own["content-encoding"] = "br";
    }
    own["content-length"] = body.length;
    response.writeHead(answer.status, own).end(body);
  });
  await promisify(server.listen.bind(server))(0, "127.0.0.1");
  return server;
};
