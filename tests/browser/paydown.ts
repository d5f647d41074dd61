// What every browser test has: somebody logged in, the API beside the page, and a watch over the page. Whatever the
// test is about, it fails on an error in the console, a breach of the Content-Security-Policy, or a request to
// anywhere but the Worker.

import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { randomUUID } from "node:crypto";
import { Api, KEY } from "./api";
import type { Book } from "./world";

export { expect, KEY };

interface Given {
  api: Api;
  /** What the page did wrong so far. */
  complaints: string[];
  /** Whether somebody is logged in when the test begins. */
  loggedIn: boolean;
}

export const test = base.extend<Given>({
  loggedIn: [true, { option: true }],

  api: async ({ baseURL }, use) => {
    await use(new Api(baseURL ?? ""));
  },

  complaints: [
    async ({ page, baseURL }, use) => {
      const complaints: string[] = [];
      await watch(page, baseURL ?? "", complaints);
      await use(complaints);
      expect(complaints, "the page was left without complaints").toEqual([]);
    },
    { auto: true },
  ],

  page: async ({ page, loggedIn }, use) => {
    if (loggedIn) {
      const answer = await page.request.post("/v1/session", { data: { key: KEY } });
      expect(answer.ok(), await answer.text()).toBe(true);
    }
    await use(page);
  },
});

/** The same over a book of its own. */
export const over = (live: () => Promise<Book>) =>
  test.extend<object, { book: string }>({
    book: [
      async ({}, use) => {
        const { address, stop } = await live();
        await use(address);
        await stop();
      },
      { scope: "worker", timeout: 600_000 },
    ],
    baseURL: async ({ book }, use) => use(book),
  });

async function watch(page: Page, address: string, complaints: string[]): Promise<void> {
  const origin = new URL(address).origin;
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (breach) => {
      console.error(`breach of ${breach.effectiveDirective}: ${breach.blockedURI}`);
    });
  });
  page.on("console", (message) => {
    // The browser itself reports each answer of 4xx. To ask who is logged in, and be told nobody, is no error.
    const asked = message.location().url === `${origin}/v1/session` && message.text().includes("status of 401");
    if (message.type() === "error" && !asked) complaints.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== origin) complaints.push(`request to ${request.url()}`);
  });
}

/** Takes complaints that a test brought about itself out, and fails when there was none. */
export function forgiven(complaints: string[], words: string): void {
  const others = complaints.filter((complaint) => !complaint.includes(words));
  expect(others.length, `the browser complained of "${words}"`).toBeLessThan(complaints.length);
  complaints.splice(0, complaints.length, ...others);
}

/** An account of its own for a test; the marker decides what becomes of its transactions. */
export function account(marker: string): string {
  return `test_${marker}_${randomUUID().slice(0, 8)}`;
}

/** The page's own name, once it is shown. */
export function title(page: Page): Locator {
  return page.getByRole("heading", { level: 1 });
}

/** Opens a page and waits until all of it is there. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settled(page);
}

/** The page shows its content: nothing is on its way any more. */
export async function settled(page: Page): Promise<void> {
  await expect(title(page)).toBeVisible({ timeout: 60_000 });
  await expect(page.locator(".skeleton, [aria-busy=true]")).toHaveCount(0);
}

/** Goes to a page by the menu. */
export async function go(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
  await expect(title(page)).toHaveText(name);
}

/** Moves the sandbox's clock by its button, and waits until each day has been lived through. */
export async function moveClock(page: Page, button: string, days: number): Promise<void> {
  let lived = 0;
  const done = page.waitForResponse(
    (answer) => {
      if (!answer.url().endsWith("/v1/sandbox/clock")) return false;
      expect(answer.status()).toBe(200);
      lived += 1;
      return lived === days;
    },
    { timeout: 120_000 },
  );
  const clock = page.getByRole("group", { name: "Clock of the sandbox" }).getByRole("button", { name: button });
  await clock.click();
  await done;
  await expect(clock).toBeEnabled();
}
