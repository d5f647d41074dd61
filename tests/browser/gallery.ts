// The book of the pictures: six weeks of 2035, in which nothing is left to chance but the ids of credits, so that a page
// looks the same whenever it is looked at.

import { Api } from "./api";
import { Bank, type Story, type Word } from "./bank";
import { type Book, serve } from "./world";

const DAY = 86_400_000;

/** The first run, beyond the real time: the time of a sandbox is that of its last run, if that lies ahead. */
export const BEGINS = Date.parse("2035-01-01T06:00:00Z");

const DAYS = 42;

/** The days whose run never came. */
const MISSED = [17, 18];

const said = (status: Word["status"], code?: string): Word[] => [{ days: 0, status, code }];

const COLLECTED = said("success");
const INSUFFICIENT = said("failure", "R01");

/** What the bank says, by account. */
const STORIES: Record<string, Story> = {
  northwind_bakery: { debits: [INSUFFICIENT, COLLECTED] },
  harbor_books: { debits: [COLLECTED, COLLECTED, said("failure", "R02")] },
  orchard_cafe: { advance: [] },
  lumen_studio: { debits: [COLLECTED, [], COLLECTED] },
  tandem_cycles: { debits: [COLLECTED, said("failure", "Q77"), COLLECTED] },
  meridian_dental: { debits: [[...COLLECTED, { days: 3, status: "failure", code: "R10" }]] },
  pine_and_salt: { advance: said("failure", "R03") },
  copper_kettle: { debits: [INSUFFICIENT] },
  juniper_florist: { debits: [COLLECTED, COLLECTED, INSUFFICIENT, COLLECTED] },
};

/** Who was paid an advance, one a day: the amount, the fee and the number of weekly installments. */
const ADVANCES: [string, number, number, number][] = [
  ["northwind_bakery", 240_000, 9_600, 8],
  ["harbor_books", 120_000, 4_800, 6],
  ["blue_door_yoga", 90_000, 3_600, 4],
  ["lumen_studio", 310_000, 12_400, 12],
  ["orchard_cafe", 75_000, 3_000, 6],
  ["tandem_cycles", 180_000, 7_200, 10],
  ["meridian_dental", 450_000, 18_000, 12],
  ["pine_and_salt", 60_000, 2_400, 4],
  ["copper_kettle", 52_500, 2_100, 5],
  ["juniper_florist", 84_000, 3_360, 6],
  ["alder_print", 133_300, 5_332, 7],
  ["saltmarsh_oysters", 275_000, 11_000, 10],
  ["quiet_hours_tea", 48_000, 1_920, 4],
  ["granite_climbing", 390_000, 15_600, 12],
];

/** The book, and how to end it. */
export async function live(): Promise<Book> {
  const bank = await Bank.open(STORIES);
  const served = await serve(["--processor-url", bank.address]);
  const stop = async () => {
    await served.stop();
    bank.close();
  };
  try {
    await pass(new Api(served.address), bank);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: served.address, stop };
}

async function pass(api: Api, bank: Bank): Promise<void> {
  const credits: Record<string, string> = {};
  for (let day = 0; day < DAYS; day += 1) {
    if (MISSED.includes(day)) continue;
    const at = BEGINS + day * DAY;
    bank.now = at;
    if (day === 30) bank.strange.push("tx_of_somebody_else,success,,NOW", "tx_of_nobody,perhaps,,NOW");
    await api.cron(at);
    bank.strange.length = 0;
    const [account, amount, fee, installments] = ADVANCES[day] ?? [];
    if (account) credits[account] = await api.payOut(account, { amount, fee, installments, interval_days: 7 });
    if (day === 24) {
      const payment = { amount: 50_000, received_on: "2035-01-24", note: "a cheque" };
      await api.act(`/v1/credits/${credits.alder_print}/external_payment`, payment);
    }
    if (day === 33) await api.act(`/v1/credits/${credits.granite_climbing}/hold`, { note: "the owner disputes the amount" });
  }
}
