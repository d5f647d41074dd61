// The faces of what the server knows: on its way, failed, not up to date, nothing there, nobody logged in, no such
// thing. Each is told from the others, and says what can be done.

import type { Page, Route } from "@playwright/test";
import { account, expect, forgiven, go, KEY, open, settled, test, title } from "./paydown";

const PROBLEM = {
  type: "urn:paydown:problem:unavailable",
  title: "Try again",
  status: 503,
  detail: "the ledger cannot be reached just now",
  code: "unavailable",
  request_id: "req-of-the-test",
};

const CREDITS = /\/v1\/credits\?/;

const firstRow = (page: Page) => page.getByRole("table").locator("tbody tr").first();

test("what is on its way has its room, and comes into it", async ({ page }) => {
  const gate = closedGate();
  await page.route(CREDITS, gate.pass);
  await page.goto("/credits");
  await expect(title(page)).toHaveText("Credits");
  const skeleton = page.locator("main").getByRole("status").filter({ hasText: "Loading" });
  await expect(skeleton).toBeVisible();
  expect((await skeleton.boundingBox())?.height, "a table's worth of room").toBeGreaterThan(300);
  await expect(page.getByRole("table")).toHaveCount(0);
  gate.open();
  await expect(firstRow(page)).toBeVisible();
  await expect(skeleton).toHaveCount(0);
});

test("a failure says its title and its request, and can be tried again", async ({ page, complaints }) => {
  let fails = true;
  await page.route(CREDITS, (route) => (fails ? problem(route) : route.continue()));
  await page.goto("/credits");
  const face = page.locator("main").getByRole("alert");
  await expect(face).toContainText(PROBLEM.title);
  await expect(face).toContainText(PROBLEM.detail);
  await expect(face).toContainText(PROBLEM.request_id);
  // Its heading and its filters are there all the same.
  await expect(title(page)).toHaveText("Credits");
  fails = false;
  await face.getByRole("button", { name: "Try again" }).click();
  await expect(firstRow(page)).toBeVisible();
  await expect(face).toHaveCount(0);
  forgiven(complaints, "status of 503");
});

test("a server that cannot be reached is said to be so", async ({ page, complaints }) => {
  await page.route(CREDITS, (route) => route.abort());
  await page.goto("/credits");
  const face = page.locator("main").getByRole("alert");
  await expect(face).toContainText("The server cannot be reached");
  await page.unroute(CREDITS);
  await face.getByRole("button", { name: "Try again" }).click();
  await expect(firstRow(page)).toBeVisible();
  forgiven(complaints, "net::ERR_FAILED");
});

test("what could not be brought up to date stays on the screen, says so, and can be asked for again", async ({ page, complaints }) => {
  await page.clock.install();
  await open(page, "/credits");
  const account = await firstRow(page).getByRole("link").textContent();
  await page.route(CREDITS, problem);
  // What is on the screen is asked for again every fifteen seconds.
  await page.clock.fastForward(16_000);
  const notice = page.locator("main").getByRole("status").filter({ hasText: "Not up to date." });
  await expect(notice).toContainText(PROBLEM.title);
  await expect(firstRow(page).getByRole("link")).toHaveText(`${account}`);
  await page.unroute(CREDITS);
  await notice.getByRole("button", { name: "Try again" }).click();
  await expect(notice).toHaveCount(0);
  await expect(firstRow(page)).toBeVisible();
  forgiven(complaints, "status of 503");
});

test("a list without a match tells the filter from a beginning, and clears it", async ({ page }) => {
  await open(page, "/credits?q=nobody_has_this_account");
  await expect(page.getByText("Nothing matches the filter.")).toBeVisible();
  await page.getByRole("link", { name: "Clear the filter" }).click();
  await expect(page).toHaveURL("/credits");
  await expect(firstRow(page)).toBeVisible();

  await page.route(CREDITS, (route) => route.fulfill({ json: { data: [], next_cursor: null } }));
  await open(page, "/credits");
  await expect(page.getByText("No advance was asked for yet.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Clear the filter" })).toHaveCount(0);
});

test("a session that ended asks for the key again, and leads back to the same page", async ({ page, context, complaints }) => {
  await open(page, "/credits");
  await context.clearCookies();
  await page.getByLabel("Status").selectOption("active");
  const key = page.getByLabel("API key");
  await expect(key).toBeVisible();
  await expect(page.getByRole("table"), "the book is on the screen no more").toHaveCount(0);
  await key.fill(KEY);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(title(page)).toHaveText("Credits");
  await expect(page).toHaveURL("/credits?status=active");
  await settled(page);
  await expect(firstRow(page)).toContainText("active");
  forgiven(complaints, "status of 401");
});

test("a credit that does not exist is said not to, with the request, and nothing to try again", async ({ page, complaints }) => {
  await page.goto("/credits/00000000-0000-7000-8000-000000000000");
  await expect(title(page)).toBeVisible();
  const face = page.locator("main").getByRole("alert");
  await expect(face.locator("code")).toHaveText(/^\S{8,}$/);
  await expect(face.getByRole("button")).toHaveCount(0);
  await go(page, "Overview");
  await expect(page.getByRole("heading", { name: "Where the money is" })).toBeVisible();
  forgiven(complaints, "status of 404");
});

test("a refused action says why, and keeps what was typed", async ({ page, api, complaints }) => {
  const id = await api.payOut(account("ok"), { amount: 20_000, installments: 2, interval_days: 1 });
  await open(page, `/credits/${id}`);
  await page.route("**/hold", problem);
  await page.getByRole("button", { name: "Hold…" }).click();
  const dialog = page.getByRole("dialog", { name: "Hold this credit" });
  await dialog.getByLabel(/^Why/).fill("a customer called");
  await dialog.getByRole("button", { name: "Hold", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText(PROBLEM.request_id);
  await expect(dialog.getByLabel(/^Why/)).toHaveValue("a customer called");
  forgiven(complaints, "status of 503");
});

function problem(route: Route): Promise<void> {
  return route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(PROBLEM) });
}

/** Requests wait at it until it is opened. */
function closedGate(): { pass: (route: Route) => Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open,
    pass: async (route) => {
      await opened;
      await route.continue();
    },
  };
}
