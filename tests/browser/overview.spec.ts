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
    "Advanced": `${money(totals.advanced)} | paid out, without fees`,
    "Outstanding": `${money(totals.in_flight + totals.scheduled + totals.waiting)} | in flight, scheduled or waiting`,
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
  expect(used.some((day) => day.outstanding !== null && day.outstanding > 0), "something is outstanding").toBe(true);
  expect(used.length, "the world's days have figures").toBeGreaterThan(3);
  await expect.poll(() => rows(section.locator("tbody tr"))).toEqual(
    used.map((of) => [
      day(of.date), money(of.expected), money(of.collected), of.outstanding === null ? "" : money(of.outstanding),
    ]),
  );
  const most = Math.max(...summary.days.map((day) => Math.max(day.expected, day.collected)));
  await expect(section.locator("figcaption")).toContainText(`most on one day ${money(most)}`);
});

test("a chart reads a day out under the pointer, and by the arrow keys", async ({ page, api }) => {
  const { days } = await api.summary();
  await open(page, "/");
  const section = page.getByRole("region", { name: "Outstanding by day" });
  const readout = section.locator(".readout");
  await expect(readout).toContainText("Point at a day");
  const chosen = section.getByRole("slider", { name: "Day" });
  const { width = 0, height = 0 } = (await chosen.boundingBox()) ?? {};
  const pointed = 30;
  await chosen.hover({ position: { x: ((pointed + 0.5) * width) / days.length, y: height / 2 } });
  const said = (of: Summary["days"][number] | undefined) => `${day(of?.date ?? "")}: ${money(of?.outstanding ?? 0)} outstanding`;
  await expect(readout).toContainText(said(days[pointed]));
  await page.mouse.move(0, 0);
  await expect(readout).toContainText("Point at a day");
  await chosen.focus();
  await page.keyboard.press("End");
  await expect(readout).toContainText(said(days.at(-1)));
  await page.keyboard.press("ArrowLeft");
  await expect(chosen).toHaveAttribute("aria-valuetext", new RegExp(day(days.at(-2)?.date ?? "")));
});

test("the return rates are those of the API, each beside its level", async ({ page, api }) => {
  const { returns } = await api.summary();
  expect(returns.some(({ returned }) => returned > 0), "the world has returns").toBe(true);
  await open(page, "/");
  const gauges = page.getByRole("region", { name: /^Return rates/ }).getByRole("listitem");
  const rate = (of: number) => `${(of / 100).toFixed(2)} %`;
  for (const [place, of] of returns.entries()) {
    const share = Math.floor((of.returned * 10_000) / of.debits);
    const words = [rate(share), `${of.returned} of ${of.debits}`, rate(of.level_basis_points)];
    for (const word of words) await expect(gauges.nth(place)).toContainText(word);
    await expect(gauges.nth(place)).toContainText(share > of.level_basis_points ? "above" : /near|below/);
  }
});

test("the days that are shown are in the address", async ({ page, api }) => {
  const { from, to } = await api.summary();
  await open(page, `/?from=${from}`);
  await page.getByLabel("to", { exact: true }).fill(to);
  await page.getByLabel("to", { exact: true }).press("Enter");
  await expect(page).toHaveURL(`/?from=${from}&to=${to}`);
  await expect(page.getByRole("img", { name: `Outstanding by day from ${day(from)} to ${day(to)}` })).toBeVisible();
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
