// Why is the money not where it should be? From the Overview it is two clicks to the very line of the processor's
// report that made a debit fail.

import type { Debit, Exception } from "./api";
import { account, expect, open, test } from "./paydown";

test("two clicks from the Overview show the report row that made a debit fail", async ({ page, api }) => {
  const name = account("nsf1");
  const id = await api.payOut(name, { amount: 40_000, installments: 4, interval_days: 1 });
  let debit: Debit | undefined;
  const failed = async () => {
    await api.live(1);
    debit = (await api.credit(id)).debits.find((debit) => debit.status === "failed");
    return debit?.code;
  };
  await expect.poll(failed, { timeout: 120_000, intervals: [0] }).toBe("R01");
  const said = (await api.credit(id)).timeline.find(
    (entry) => entry.kind === "observation" && entry.debit_id === debit?.id,
  );
  const report = await api.report(said?.run_id ?? "none");
  const line = report.split("\n").find((line) => line.includes(`${debit?.transaction_id}`));
  expect(line).toContain("failure,R01");

  await open(page, "/");
  const clicks = [
    page.getByRole("link", { name: `${name}, debit ${debit?.sequence}` }),
    page.getByRole("region", { name: `Why debit ${debit?.sequence}` })
      .getByRole("button", { name: "Show the report row" }),
  ];
  for (const click of clicks) await click.click();
  expect(clicks).toHaveLength(2);
  await expect(page.getByLabel("Report row")).toContainText(`${line?.trim()}`);
});

test("one click shows why each kind of exception is open, the second what the processor said", async ({ page, api }) => {
  const open_ = await api.list<Exception>("/v1/exceptions?status=open&limit=200");
  // Those that the world began with: other tests leave exceptions of their own.
  const ofWorld = open_.filter(({ account_id }) => account_id?.startsWith("world_"));
  const kinds = new Map(ofWorld.map((exception) => [exception.kind, exception]));
  expect([...kinds.keys()]).toEqual(expect.arrayContaining(["credit_unconfirmed", "hard_return", "unknown_return_code"]));
  for (const exception of kinds.values()) {
    // The Overview leads to the oldest of the kind; the list leads to each in the same way.
    await open(page, `/exceptions?status=open&kind=${exception.kind}`);
    await page.locator(`main a[href^="/credits/${exception.credit_id}?about="]`).first().click();
    const story = page.getByRole("region", { name: /^Why .* stands where it does/ });
    await expect(story, exception.kind).toContainText(exception.detail);
    const rows = story.getByRole("button", { name: "Show the report row" });
    if ((await rows.count()) === 0) continue;
    await rows.last().click();
    await expect(story.getByLabel("Report row")).toBeVisible();
  }
});
