// What is on the screen while time goes on: its age, newer rows, the network away, the server asking for patience;
// and what is taken along: a file, a printed statement.

import { readFile } from "node:fs/promises";
import type { Page, Route } from "@playwright/test";
import type { Credit } from "./api";
import { expect, forgiven, open, settled, test, title } from "./paydown";

const CREDITS = /\/v1\/credits\?/;

const firstRow = (page: Page) => page.getByRole("table").locator("tbody tr").first();

test("the age of what is shown counts, and begins anew with each answer", async ({ page, complaints }) => {
  await page.clock.install();
  await open(page, "/credits");
  const age = page.locator(".age");
  await expect(age).toHaveText(/^updated \d s ago$/);
  await page.route("**/v1/**", (route) => route.abort());
  await page.clock.runFor(40_000);
  await expect(age).toHaveText(/^updated [4-6]\d s ago$/);
  await page.unroute("**/v1/**");
  await page.clock.runFor(16_000);
  await expect(age).toHaveText(/^updated \d s ago$/);
  forgiven(complaints, "net::ERR_FAILED");
});

test("newer rows wait while the pointer or the keyboard is among them", async ({ page }) => {
  await page.clock.install();
  let account = "first_account";
  await page.route(CREDITS, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    body.data[0].account_id = account;
    await route.fulfill({ response: answer, json: body });
  });
  await open(page, "/credits");
  const link = firstRow(page).getByRole("link");
  const waits = page.getByText("Newer rows wait until you leave the table.");
  await expect(link).toHaveText("first_account");

  const newer = async (name: string) => {
    account = name;
    const asked = page.waitForResponse(CREDITS);
    await page.clock.fastForward(16_000);
    await (await asked).finished();
  };
  await firstRow(page).hover();
  await newer("second_account");
  await expect(waits).toBeVisible();
  await expect(link).toHaveText("first_account");
  await title(page).hover();
  await expect(link).toHaveText("second_account");
  await expect(waits).toHaveCount(0);

  await link.focus();
  await newer("third_account");
  await expect(waits).toBeVisible();
  await expect(link).toHaveText("second_account");
  await page.getByLabel("Find").focus();
  await expect(link).toHaveText("third_account");

  // What a person asks for comes at once.
  await firstRow(page).hover();
  account = "fourth_account";
  await page.getByLabel("Status").selectOption("active", { force: true });
  await expect(link).toHaveText("fourth_account");
});

test("offline is said, nothing is asked for, and all is read anew when the network is back", async ({ page, context }) => {
  await page.clock.install();
  await open(page, "/credits");
  await context.setOffline(true);
  const banner = page.getByRole("status").filter({ hasText: "Offline." });
  await expect(banner).toContainText(/What is shown was read \d+ (s|min) ago/);
  let asked = 0;
  page.on("request", () => {
    asked += 1;
  });
  await page.clock.fastForward(60_000);
  await expect(banner).toContainText(/read (6|7)\d s ago/);
  expect(asked, "nothing is asked for").toBe(0);
  await expect(firstRow(page)).toBeVisible();
  const answer = page.waitForResponse(CREDITS);
  await context.setOffline(false);
  await answer;
  await expect(banner).toHaveCount(0);
});

test("who is asked for patience is asked again when it said", async ({ page, complaints }) => {
  await page.clock.install();
  let refuses = true;
  const refuse = (route: Route) =>
    route.fulfill({
      status: 429,
      headers: { "retry-after": "7" },
      contentType: "application/problem+json",
      body: JSON.stringify({
        type: "urn:paydown:problem:too_many", title: "Too many requests", status: 429, detail: "slow down",
        code: "too_many", request_id: "req-of-the-test",
      }),
    });
  await page.route(CREDITS, (route) => (refuses ? refuse(route) : route.continue()));
  await page.goto("/credits");
  const face = page.locator("main").getByRole("alert").filter({ hasText: "Too many requests" });
  await expect(face).toContainText(/Asked again in [1-7] s\./);
  refuses = false;
  await page.clock.runFor(8_000);
  await expect(firstRow(page)).toBeVisible();
  forgiven(complaints, "status of 429");
});

test("a server that broke says so with the request", async ({ page, complaints }) => {
  await page.route(CREDITS, (route) => route.fulfill({ status: 500, body: "oops", headers: { "x-request-id": "req-500" } }));
  await page.goto("/credits");
  const face = page.locator("main").getByRole("alert").filter({ hasText: "HTTP 500" });
  await expect(face).toContainText("req-500");
  await expect(face.getByRole("button", { name: "Try again" })).toBeVisible();
  forgiven(complaints, "status of 500");
});

for (const [path, list] of [["/credits", "/v1/credits"], ["/debits?status=failed", "/v1/debits?status=failed"],
  ["/runs", "/v1/runs"], ["/exceptions", "/v1/exceptions"], ["/keys", "/v1/keys"]] as const) {
  test(`the file of ${path} holds all that its filter finds`, async ({ page, api }) => {
    const wanted = (await api.list<{ id: string }>(`${list}${list.includes("?") ? "&" : "?"}limit=200`)).map(({ id }) => id);
    // Pages of two rows, so that there are more than one.
    await page.route(/limit=200/, (route) => route.continue({ url: route.request().url().replace("limit=200", "limit=2") }));
    await open(page, path);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download CSV" }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^[a-z]+\.csv$/);
    const [head, ...rows] = (await readFile(await file.path(), "utf8")).trim().split("\r\n");
    const id = head?.split(",").indexOf("id") ?? -1;
    expect(rows.map((row) => row.split(",")[id]).sort()).toEqual([...wanted].sort());
  });
}

test("a credit's statement is printed without what is around it, with its address and the day", async ({ page, api }) => {
  const [credit] = await api.list<Credit>("/v1/credits?limit=1");
  await open(page, `/credits/${credit?.id}`);
  await page.evaluate(() => {
    window.print = () => document.documentElement.setAttribute("data-printed", "");
  });
  await page.getByRole("button", { name: "Print" }).click();
  await expect(page.locator("html[data-printed]")).toHaveCount(1);
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  await expect(page.getByText(/^http.*\/credits\/.*, printed .*\d{4}/)).toBeVisible();
  await expect(page.getByText("Owed in all", { exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Timeline" })).toBeVisible();
  await expect(page.getByRole("navigation")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Print" })).toBeHidden();
  expect((await page.pdf()).length).toBeGreaterThan(1000);
});

for (const path of ["/", "/credits", "/debits", "/runs", "/exceptions", "/simulator", "/keys", "/settings"]) {
  test(`nothing jumps while ${path} comes`, async ({ page }) => {
    await page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
      }).observe({ type: "layout-shift", buffered: true });
    });
    await open(page, path);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
    expect(shifts.reduce((sum, shift) => sum + shift, 0), `shifts: ${shifts}`).toBeLessThan(0.1);
  });
}

test("who is logged in is asked for once, before the app is there", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await open(page, "/simulator");
  await settled(page);
  expect(asked.filter((path) => path === "/v1/session")).toHaveLength(1);
  expect(asked.indexOf("/v1/session")).toBeLessThan(asked.indexOf("/v1/settings"));
});
