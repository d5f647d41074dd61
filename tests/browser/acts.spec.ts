// What an operator may do to a credit: what would follow is said first, a double click does it once, the API shows it
// after, and what cannot be is said to be wrong and not sent.

import type { Locator, Page } from "@playwright/test";
import { randomUUID } from "node:crypto";
import type { Api, Credit } from "./api";
import { account, expect, forgiven, open, test, title } from "./paydown";

const TERMS = { amount: 90_000, installments: 3, interval_days: 7 };

/** No transaction that there is, in any world. */
const NAMED = `named by telephone ${randomUUID()}`;

/** An act, from its button to what the API shows of it. */
interface Case {
  act: string;
  dialog: string;
  /** Brings the credit there, and says which. */
  credit: (api: Api) => Promise<string>;
  /** What is entered, by label. */
  entered?: Record<string, string>;
  chosen?: Record<string, string>;
  /** What cannot be entered, and what is said of it. */
  refused?: { label: string; text: string; why: string }[];
  effects: string[];
  verb: string;
  toast: string | RegExp;
  /** What the API shows before, and after. */
  shows: (credit: Credit) => unknown;
  before: unknown;
  after: unknown;
}

async function active(api: Api): Promise<string> {
  const id = await api.payOut(account("ok"), TERMS);
  await api.live(2);
  return id;
}

async function paidElsewhere(api: Api, amount: number): Promise<string> {
  const id = await active(api);
  const received_on = "2026-01-01";
  await api.act(`/v1/credits/${id}/external_payment`, { amount, received_on, note: "by a check" });
  return id;
}

const scheduled = (credit: Credit) =>
  credit.debits.filter((debit) => debit.status === "scheduled").map(({ amount }) => amount);
const decided = (credit: Credit) =>
  credit.timeline.filter((entry) => entry.kind === "observation" && entry.detail.includes("by decision")).length;
const counted = (credit: Credit) => credit.external_payments.map(({ amount, revoked }) => [amount, revoked]);

const CASES: Case[] = [
  {
    act: "Pause",
    dialog: "Pause this credit",
    credit: active,
    entered: { Intervals: "2" },
    refused: [
      { label: "Intervals", text: "0", why: "Enter 1 to 104 intervals." },
      { label: "Intervals", text: "105", why: "Enter 1 to 104 intervals." },
    ],
    effects: ["Debit 1 is cancelled: the plan was paused.", "Debit 4 of $300.00 is added", "3 debits, $900.00 in all, would be scheduled"],
    verb: "Pause",
    toast: /^Paused\. 3 debits, \$900\.00 in all, are scheduled; the next one is due /,
    shows: (credit) => credit.debits.length,
    before: 3,
    after: 6,
  },
  {
    act: "Pay off",
    dialog: "Pay off this credit",
    credit: active,
    effects: ["Debit 4 of $900.00 is added", "1 debit, $900.00 in all, would be scheduled"],
    verb: "Pay off $900.00",
    toast: /^Paid off: \$900\.00\. 1 debit, \$900\.00 in all, is scheduled/,
    shows: scheduled,
    before: [30_000, 30_000, 30_000],
    after: [90_000],
  },
  {
    act: "Write off",
    dialog: "Write off this credit",
    credit: active,
    effects: ["The credit is written off", "Nothing would be scheduled."],
    verb: "Write off $900.00",
    toast: "Written off: $900.00. Nothing is scheduled.",
    shows: (credit) => credit.status,
    before: "active",
    after: "written_off",
  },
  {
    act: "External payment",
    dialog: "Record an external payment",
    credit: active,
    entered: { "Amount": "350.00", "Received on": "2026-01-02" },
    refused: [
      { label: "Amount", text: "1.005", why: "Enter an amount such as 1000.00." },
      { label: "Amount", text: "0", why: "Enter an amount such as 1000.00." },
      { label: "Received on", text: "2199-01-01", why: "It cannot have been received after today." },
    ],
    effects: ["$350.00 was paid elsewhere.", "Debit 3 is cancelled: less was still owed.", "2 debits, $550.00 in all, would be scheduled"],
    verb: "Record $350.00",
    toast: /^Recorded: \$350\.00\. 2 debits, \$550\.00 in all, are scheduled/,
    shows: counted,
    before: [],
    after: [[35_000, false]],
  },
  {
    act: "Revoke… the external payment of $350.00",
    dialog: "Revoke the external payment of $350.00",
    credit: (api) => paidElsewhere(api, 35_000),
    effects: ["A payment made elsewhere counts no more.", "4 debits, $900.00 in all, would be scheduled"],
    verb: "Revoke $350.00",
    toast: /^Revoked: \$350\.00\. 4 debits, \$900\.00 in all, are scheduled/,
    shows: counted,
    before: [[35_000, false]],
    after: [[35_000, true]],
  },
  {
    act: "Refund",
    dialog: "Refund what was paid too much",
    credit: (api) => paidElsewhere(api, 100_000),
    entered: { Amount: "60.00" },
    refused: [
      { label: "Amount", text: "100.01", why: "At most $100.00 was paid beyond what is owed." },
      { label: "Amount", text: "ten", why: "Enter an amount such as 1000.00." },
    ],
    effects: ["$60.00 is given back."],
    verb: "Refund $60.00",
    toast: /^Refunded: \$60\.00\./,
    shows: (credit) => credit.refunds.map(({ amount }) => amount),
    before: [],
    after: [6_000],
  },
  {
    act: "Decide… the refund of $60.00",
    dialog: "Decide what became of the refund of $60.00",
    credit: async (api) => {
      const id = await paidElsewhere(api, 100_000);
      await api.act(`/v1/credits/${id}/refund`, { amount: 6_000, note: "paid too much" });
      return id;
    },
    effects: ["The refund: decided by an operator.", "The refund: success."],
    verb: "Decide",
    toast: "Decided: it counts from the next run on.",
    shows: decided,
    before: 0,
    after: 1,
  },
  {
    act: "Decide",
    dialog: "Decide what became of the advance",
    credit: (api) => api.payOut(account("badsilent"), TERMS),
    chosen: { "What became of it": "success" },
    effects: ["The advance: success.", "3 debits, $900.00 in all, would be scheduled"],
    verb: "Decide",
    toast: "Decided: it counts from the next run on.",
    shows: decided,
    before: 0,
    after: 1,
  },
  {
    act: "Attach",
    dialog: "Attach a transaction to the advance",
    credit: (api) => api.payOut(account("drop"), TERMS),
    entered: { "Transaction id": NAMED },
    refused: [{ label: "Transaction id", text: " ", why: "Enter the processor's id of the transaction." }],
    effects: [`The advance: its transaction is ${NAMED}.`],
    verb: "Attach",
    toast: "Attached: what was said of it counts from the next run on.",
    shows: (credit) => credit.transaction_id,
    before: null,
    after: NAMED,
  },
  {
    act: "Decide… debit 1",
    dialog: "Decide what became of debit 1",
    credit: async (api) => {
      const id = await api.payOut(account("silent"), { amount: 90_000, installments: 3, interval_days: 1 });
      const submitted = async () => {
        await api.live(1);
        return (await api.credit(id)).debits[0]?.status;
      };
      await expect.poll(submitted, { timeout: 120_000, intervals: [0] }).toBe("submitted");
      return id;
    },
    chosen: { "What became of it": "failure" },
    entered: { "Return code": "r01" },
    refused: [{ label: "Return code", text: "R-01", why: "Enter a return code such as R01, or none." }],
    effects: ["Insufficient funds", "Debit 1: failure R01.", "in place of debit 1"],
    verb: "Decide",
    toast: "Decided: it counts from the next run on.",
    shows: decided,
    before: 0,
    after: 1,
  },
];

for (const given of CASES) {
  test(`${given.dialog}: said first, done once, and then to be seen`, async ({ page, api }) => {
    const id = await given.credit(api);
    expect(given.shows(await api.credit(id))).toEqual(given.before);
    await open(page, `/credits/${id}`);
    const posts: (string | undefined)[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") posts.push(request.headers()["idempotency-key"]);
    });
    await begin(page, given.act);
    const dialog = page.getByRole("dialog", { name: given.dialog });
    for (const [label, value] of Object.entries(given.chosen ?? {})) {
      await dialog.getByLabel(label).selectOption(value);
    }
    await dialog.getByLabel(/^Why/).fill("agreed by telephone");
    for (const [label, text] of Object.entries(given.entered ?? {})) await dialog.getByLabel(label).fill(text);
    for (const { label, text, why } of given.refused ?? []) {
      const before = await dialog.getByLabel(label).inputValue();
      await dialog.getByLabel(label).fill(text);
      await expect(dialog).toContainText(why);
      await expect(submit(dialog)).toBeDisabled();
      await dialog.getByLabel(label).fill(before);
    }
    for (const effect of given.effects) await expect(dialog).toContainText(effect);
    await expect(submit(dialog)).toHaveText(given.verb);
    expect(posts, "nothing is done before").toEqual([]);
    await submit(dialog).dblclick();
    await expect(dialog).toBeHidden();
    await expect(toast(page)).toHaveText(given.toast);
    expect(new Set(posts).size, `keys: ${posts}`).toBe(1);
    expect(posts[0]).toMatch(/^\S{16,}$/);
    expect(given.shows(await api.credit(id))).toEqual(given.after);
  });
}

test("what makes no sense for a credit as it stands is not offered", async ({ page, api }) => {
  const id = await active(api);
  await api.act(`/v1/credits/${id}/write_off`, { note: "given up" });
  await open(page, `/credits/${id}`);
  await expect(title(page)).toContainText("written off");
  await expect(page.getByRole("main").getByRole("button", { name: "…" })).toHaveText(["External payment…"]);
});

test("a refund after a lost answer is sent again as it was, though nothing more may be refunded by then", async ({ page, api, complaints }) => {
  const id = await paidElsewhere(api, 100_000);
  await open(page, `/credits/${id}`);
  const sent: (string | undefined)[] = [];
  let losing = true;
  await page.route("**/refund", async (route) => {
    sent.push(`${route.request().headers()["idempotency-key"]} ${route.request().postData()}`);
    if (!losing) return route.continue();
    losing = false;
    await route.fetch();
    await route.abort();
  });
  await begin(page, "Refund");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Why/).fill("paid too much");
  await expect(submit(dialog)).toHaveText("Refund $100.00");
  await submit(dialog).click();
  await expect(dialog.getByRole("alert")).toContainText("The server cannot be reached");
  await expect.poll(async () => (await api.credit(id)).refunds.length).toBe(1);
  // By the next reading the page knows it too.
  await page.waitForResponse((answer) => answer.url().endsWith("/facts"));
  await submit(dialog).click();
  await expect(dialog).toBeHidden();
  expect(sent).toHaveLength(2);
  expect(sent[0]).toBe(sent[1]);
  expect((await api.credit(id)).refunds.map(({ amount }) => amount)).toEqual([10_000]);
  forgiven(complaints, "net::ERR_FAILED");
});

test("a pause by keyboard alone, from the menu and back to it", async ({ page, api }) => {
  const id = await active(api);
  await open(page, `/credits/${id}`);
  const menu = page.locator("summary", { hasText: "More" });
  await menu.focus();
  await page.keyboard.press("Enter");
  const pause = page.getByRole("button", { name: "Pause…" });
  await expect(pause).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(pause).toBeHidden();
  await expect(menu).toBeFocused();

  await page.keyboard.press("Enter");
  for (let presses = 0; presses < 9 && !(await focused(pause)); presses += 1) await page.keyboard.press("Tab");
  await expect(pause).toBeFocused();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Pause this credit" });
  const intervals = dialog.getByLabel("Intervals");
  await expect(intervals).toBeVisible();
  for (let presses = 0; presses < 9 && !(await focused(intervals)); presses += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("3");
  await page.keyboard.press("Tab");
  await page.keyboard.type("on holiday");
  await page.keyboard.press("Tab");
  await expect(submit(dialog)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(menu, "the focus is where it came from").toBeFocused();
  expect((await api.credit(id)).debits).toHaveLength(6);
});

/** Opens the dialog of an act: by its button, or by its entry in the menu. */
async function begin(page: Page, act: string): Promise<void> {
  const button = page.getByRole("button", { name: act.includes("…") ? act : `${act}…`, exact: true });
  const menu = page.locator("summary", { hasText: "More" });
  await expect(button.or(menu).first()).toBeVisible();
  if (!(await button.isVisible())) await menu.click();
  await button.click();
}

function submit(dialog: Locator): Locator {
  return dialog.locator("button[type=submit]");
}

function toast(page: Page): Locator {
  return page.getByRole("region", { name: "What was done" }).getByRole("status").locator("p");
}

function focused(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === document.activeElement);
}
