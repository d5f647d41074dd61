// Every figure on the Overview is the API's.

import type { Page } from "@playwright/test";
import type { Summary } from "./api";
import { expect, open, test } from "./paydown";

const MONEY = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const DAY = new Intl.DateTimeFormat("en-US", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

const money = (minor: number) => MONEY.format(minor / 100);
const day = (date: string) => DAY.format(new Date(date));
const counted = (n: number, one: string) => `${n} ${n === 1 ? one : `${one}s`}`;

test("each figure is that of /v1/summary", async ({ page, api }) => {
  const summary = await api.summary();
  const { totals, credits } = summary;
  expect(totals.total, "the world's book is not empty").toBeGreaterThan(0);
  await open(page, "/");

  const all = Object.values(credits).reduce((sum, count) => sum + count, 0);
  await expect.poll(() => figures(page)).toEqual({
    "Owed in all": money(totals.total),
    ...(totals.excess === 0 ? {} : { "+ Excess": money(totals.excess) }),
    "Paid": money(totals.paid),
    "In flight": money(totals.in_flight),
    "Scheduled": money(totals.scheduled),
    "Waiting": money(totals.waiting),
    "Written off": money(totals.written_off),
    "Past due, not yet paid": `${money(summary.overdue)} | by when each installment was first due`,
    "Held": `${counted(credits.held, "credit")} | issue nothing until released`,
    "Open exceptions": `${summary.open_exceptions} | wait for a person`,
    "Credits": `${all} | ${statuses(credits)}`,
  });
  await expect(page.getByText("Every cent is accounted for.")).toBeVisible();

  expect(await table(page, "Still to be collected, by age")).toEqual(
    summary.ageing.map((age) => [
      age.days === "0" ? "not past due" : `${age.days} days`, `${age.debits}`, money(age.amount),
    ]),
  );
  const failures = (await table(page, "Failures by code")).map(([code, , ...figures]) => [code, ...figures]);
  expect(failures.length, "the world has failures").toBeGreaterThan(1);
  expect(failures).toEqual(
    summary.failures.map((failure) => [failure.code ?? "none", `${failure.debits}`, money(failure.amount)]),
  );
});

test("each day of the chart is that of /v1/summary", async ({ page, api }) => {
  const summary = await api.summary();
  await open(page, "/");
  const section = page.getByRole("region", { name: "Expected and collected by day" });
  await section.getByText("As a table").click();
  const used = summary.days.filter((day) => day.expected !== 0 || day.collected !== 0);
  expect(used.length, "the world's days have figures").toBeGreaterThan(3);
  await expect.poll(() => rows(section.locator("tbody tr"))).toEqual(
    used.map((of) => [day(of.date), money(of.expected), money(of.collected)]),
  );
  const most = Math.max(...summary.days.map((day) => Math.max(day.expected, day.collected)));
  await expect(section.locator("figcaption")).toContainText(`most on one day ${money(most)}`);
});

/** All terms of the page with what stands under each: one more than are compared is one too many. */
function figures(page: Page): Promise<Record<string, string>> {
  return page.locator("main dl > div").evaluateAll((pairs) => {
    const words = (element: Element) => (element.textContent ?? "").replace(/\s+/g, " ").trim();
    return Object.fromEntries(
      pairs.map((pair) => [
        words(pair.querySelector("dt") ?? pair),
        [...pair.querySelectorAll("dd")].map(words).join(" | "),
      ]),
    );
  });
}

async function table(page: Page, section: string): Promise<string[][]> {
  return rows(page.getByRole("region", { name: section }).locator("tbody tr"));
}

function rows(of: ReturnType<Page["locator"]>): Promise<string[][]> {
  return of.evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll("th, td")].map((cell) => (cell.textContent ?? "").trim())),
  );
}

function statuses(credits: Summary["credits"]): string {
  const some = Object.entries(credits).filter(([, count]) => count > 0);
  return some.map(([status, count]) => `${count} ${status.replace("_", " ")}`).join(" ");
}
