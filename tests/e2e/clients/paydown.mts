// A client of Paydown for Node, with types made from its own description:
//
//   npx openapi-typescript $PAYDOWN_URL/openapi.json --default-non-nullable false --output openapi.d.ts
//
//   node paydown.mts advance KEY ACCOUNT AMOUNT            pays an advance out, once, and prints the credit's id
//   node paydown.mts credits ACCOUNT                       prints the ids of all credits of an account
//   node paydown.mts verify SECRET ID TIMESTAMP SIGNATURE  ends with 0 if the body on standard input is a webhook of Paydown's
//
// PAYDOWN_URL and PAYDOWN_KEY say where it serves, and the API key.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { components } from "./openapi.d.ts";

type Credit = components["schemas"]["Credit"];
type Credits = components["schemas"]["PageOfCredit"];
type Problem = components["schemas"]["Problem"];
type AdvanceRequest = components["schemas"]["AdvanceRequest"];

const ATTEMPTS = 8;
const TOLERANCE_SECONDS = 300;

/** Paydown will not do it, however often it is asked. */
class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.problem = problem;
  }
}

/** The JSON of an answer. Asks again while it is not known whether an earlier attempt arrived. */
async function ask<Answer>(path: string, key?: string, body?: unknown): Promise<Answer> {
  const headers = new Headers({ authorization: `Bearer ${process.env["PAYDOWN_KEY"]}` });
  if (key !== undefined) headers.set("idempotency-key", key);
  if (body !== undefined) headers.set("content-type", "application/json");
  const init: RequestInit = { method: body === undefined ? "GET" : "POST", headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    let wait = 2 ** attempt;
    try {
      const answer = await fetch(`${process.env["PAYDOWN_URL"]}${path}`, { ...init, signal: AbortSignal.timeout(30_000) });
      if (answer.ok) return (await answer.json()) as Answer;
      if (answer.status !== 429 && answer.status < 500) throw new Refused((await answer.json()) as Problem);
      wait = Number(answer.headers.get("retry-after") ?? wait);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    await sleep(wait * 1000);
  }
  throw new Error(`no answer after ${ATTEMPTS} attempts; ask again with the same key`);
}

/** The credit. One key makes one credit, whatever happens on the way and however often it is asked. */
export function performAdvance(key: string, request: AdvanceRequest): Promise<Credit> {
  return ask<Credit>("/v1/perform_advance", key, request);
}

/** All credits of an account, page by page. */
export async function* credits(accountId: string): AsyncGenerator<Credit> {
  const query = new URLSearchParams({ account_id: accountId, limit: "2" });
  while (true) {
    const page = await ask<Credits>(`/v1/credits?${query}`);
    yield* page.data;
    if (!page.next_cursor) return;
    query.set("cursor", page.next_cursor);
  }
}

/** Whether a webhook is Paydown's (Standard Webhooks). `body` is what came, byte for byte. */
export function isGenuine(secret: string, headers: Headers, body: Buffer): boolean {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) => headers.get(`webhook-${name}`) ?? "");
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!(age <= TOLERANCE_SECONDS)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  // While a secret is rotated there are several.
  return (signatures ?? "").split(" ").some((signature) => {
    const [version, text] = signature.split(",");
    const given = Buffer.from(text ?? "", "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

async function main([command, ...given]: string[]): Promise<number> {
  const [first = "", second = "", third = "", fourth = ""] = given;
  if (command === "advance") {
    console.log((await performAdvance(first, { account_id: second, amount: Number(third) })).id);
  } else if (command === "credits") {
    for await (const credit of credits(first)) console.log(credit.id);
  } else if (command === "verify") {
    const headers = new Headers({ "webhook-id": second, "webhook-timestamp": third, "webhook-signature": fourth });
    return isGenuine(first, headers, readFileSync(0)) ? 0 : 1;
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  return 1;
});
