// Why is the money not where it should be? From the Overview it is two clicks to the very line of the processor's
// report that made a debit fail.

import type { Debit } from "./api";
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
