// Why is the money not where it should be? Two clicks from the Overview show the cause of each kind of exception, in a
// book that every one of them befell.

import type { Locator, Page } from "@playwright/test";
import type { Exception } from "./api";
import { live } from "./kinds";
import { expect, open, over } from "./paydown";

const test = over(live);

/** What the second click shows. */
type Cause = (page: Page, exception: Exception) => Promise<void>;

/** The row of the report that brought it about. */
const row = (words: RegExp): Cause => async (page) => {
  await story(page).getByRole("button", { name: "Show the report row" }).last().click();
  await expect(page.getByLabel("Report row")).toContainText(words);
};

/** The run that saw it, with what it read. */
const run: Cause = async (page, exception) => {
  const opened = story(page).getByRole("listitem").filter({ hasText: exception.detail }).first();
  await opened.getByRole("link", { name: "run" }).click();
  await expect(page).toHaveURL(new RegExp(`/runs/${exception.run_id}$`));
  await expect(page.getByRole("region", { name: "The report it read" })).toBeVisible();
};

/** What an operator said when it began. */
const act = (words: string): Cause => async (page) => {
  await story(page).getByRole("link", { name: "Close" }).click();
  await expect(page.getByRole("region", { name: "Timeline" })).toContainText(words);
};

/** The run that the list of exceptions leads to. */
const listedRun = (words: RegExp): Cause => async (page, exception) => {
  await page.getByRole("row").filter({ hasText: exception.detail }).first().getByRole("link", { name: "run" }).click();
  await expect(page.getByRole("main")).toContainText(words);
};

/** What was said, as the dialog shows it that resolves it. */
const said = (words: RegExp): Cause => async (page, exception) => {
  await page.getByRole("row").filter({ hasText: exception.detail }).first().getByRole("button", { name: "Resolve…" }).click();
  await expect(page.getByRole("dialog", { name: "Resolve this exception" })).toContainText(words);
};

/**
 * All kinds but three: no world has reached `over_collection_prevented`, which stands guard over the law itself, a
 * `dead_letter` is a message that nobody can send from outside, and `webhook_failing` is about no money.
 */
const CAUSES: Record<string, Cause> = {
  credit_unconfirmed: run,
  credit_returned: row(/failure,R03/),
  credit_contradiction: row(/success/),
  no_answer: run,
  timeout_limit: run,
  report_gap: run,
  report_hole: listedRun(/Not complete|The report it read/),
  over_collected: row(/success/),
  unknown_transaction: said(/Report says: success/),
  malformed_row: listedRun(/Malformed\s*1/),
  hard_return: row(/failure,R02/),
  unknown_return_code: row(/failure,Q77/),
  retry_limit: row(/failure,R01/),
  held_by_operator: act("the customer disputes the amount"),
  decision_contradicted: row(/success/),
  over_refunded: row(/failure,R03/),
  two_strikes: row(/failure,R01/),
  run_late: listedRun(/Run of/),
  request_refused: said(/not recorded/),
  run_limit: listedRun(/more than one run may issue/),
};

test("two clicks from the Overview show the cause of each kind of exception", async ({ page, api }) => {
  const { exceptions } = await api.summary();
  const oldest = new Map(exceptions.map(({ oldest }) => [oldest.kind, oldest]));
  expect([...oldest.keys()].sort()).toEqual(Object.keys(CAUSES).sort());
  for (const [kind, cause] of Object.entries(CAUSES)) {
    await test.step(kind, async () => {
      const exception = oldest.get(kind);
      if (!exception) throw new Error(kind);
      await open(page, "/");
      const about = page.getByRole("region", { name: "Needs action" }).getByRole("listitem").filter({ hasText: exception.detail });
      await about.getByText("oldest:").getByRole("link").click();
      // Two strikes are about the account, and told as the story of the debit that failed last.
      const told = kind === "two_strikes" ? page.getByRole("region", { name: "Timeline" }) : story(page);
      await expect(exception.credit_id ? told : page.getByRole("table")).toContainText(exception.detail);
      await cause(page, exception);
    });
  }
});

test("the days that no complete report covers are a hole in the strip", async ({ page, api }) => {
  const { exceptions } = await api.summary();
  const detail = exceptions.find(({ oldest }) => oldest.kind === "report_hole")?.oldest.detail;
  const [from = "", to = ""] = detail?.match(/\d{4}-\d{2}-\d{2}/g) ?? [];
  // A run each day of the week without reports: the whole days between the two instants are lost.
  const whole = (Date.parse(to) - Date.parse(from)) / 86_400_000 - 1;
  expect(whole).toBeGreaterThan(1);
  await open(page, "/runs");
  await expect(page.getByRole("region", { name: "Coverage by day" }).getByRole("link", { name: /: a hole/ })).toHaveCount(whole);
});

test("a hole within a day is a hole on that day", async ({ page }) => {
  await page.route(/\/v1\/runs\?/, async (route) => {
    const answer = await route.fetch();
    const runs = await answer.json();
    const [, day, before] = runs.data;
    // The frame asks for the last run alone.
    if (!before) return route.fulfill({ response: answer, json: runs });
    // The report reaches to an hour behind the one before, which was read seven hours after midnight.
    day.report.covers = { read_at: "2026-06-10T08:00:00Z", window_days: 5 };
    before.report.covers = { read_at: "2026-06-05T07:00:00Z", window_days: 5 };
    runs.data = [day, before];
    await route.fulfill({ response: answer, json: runs });
  });
  await open(page, "/runs");
  const strip = page.getByRole("region", { name: "Coverage by day" });
  await expect(strip.getByText(/: a hole/)).toHaveText(["Jun 5, 2026: a hole: no complete report covers it"]);
});

function story(page: Page): Locator {
  return page.getByRole("region", { name: /^Why .* stands where it does/ });
}
