// `perform_advance` under load: the contestants take turns, on one runtime, each on a ledger that grows alike.

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fastapi } from "./peer.mjs";
import { load, median, percentile } from "./load.mjs";
import { KEY, start } from "./runtime.mjs";

/** Throughput and latency at each number of connections, of each contestant. */
export const advances = async ({ processor, state, connections, rounds, requests, warmUp, python }) => {
  const runtime = await start(["paydown", "floor", "bare", "least", "logged"], { state: join(state, "advances"), processor });
  const peer = python && await fastapi({ python, state: join(state, "advances-fastapi"), processor });
  const contestants = [...runtime.contestants, ...peer ? [peer] : []];
  const figures = [];
  for (const contestant of contestants) {
    await load(contestant.address, 16, warmUp, asked);
  }
  for (const many of connections) {
    const seen = new Map(contestants.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      // Who comes first in one round comes last in the next.
      for (const { name, address } of round % 2 ? contestants.toReversed() : contestants) {
        const { milliseconds, took } = await load(address, many, requests, asked);
        const latency = { p50: percentile(took, 0.5), p99: percentile(took, 0.99) };
        seen.get(name).push({ throughput: requests / milliseconds * 1000, ...latency });
        process.stdout.write(`advances, ${many} connections, ${name}: ${(requests / milliseconds * 1000).toFixed(0)} a second\n`);
      }
    }
    figures.push({ connections: many, contestants: Object.fromEntries([...seen].map(([name, all]) => [name, summed(all)])) });
  }
  await runtime.stop();
  await peer?.stop();
  return { loads: figures, ...await counted(processor, join(state, "advances-counted")) };
};

/** What one advance asks of the database. */
const counted = async (processor, state) => {
  const runtime = await start(["paydown"], { state, processor, counted: true });
  const [{ address }] = runtime.contestants;
  const take = async () => (await fetch(`${address}/bench/counted`)).json();
  await load(address, 1, 1, asked);
  await take();
  await load(address, 1, COUNTED, asked);
  const { batches, statements, read, written } = await take();
  await runtime.stop();
  const [roundTrips, ...others] = [batches, statements, read, written].map((count) => count / COUNTED);
  const [statementsEach, rowsRead, rowsWritten] = others;
  return { roundTrips, statements: statementsEach, rowsRead, rowsWritten };
};

/** So many advances are counted. */
const COUNTED = 50;

/** Of all rounds the median of each figure, and the spread of the throughput: the share between least and most. */
const summed = (all) => {
  const of = (figure) => all.map((round) => round[figure]);
  const throughput = of("throughput");
  return {
    throughput: median(throughput), p50: median(of("p50")), p99: median(of("p99")),
    spread: (Math.max(...throughput) - Math.min(...throughput)) / median(throughput),
  };
};

const asked = () => {
  const body = JSON.stringify({ account_id: `acct_${randomUUID()}`, amount: 100_000 });
  const headers = {
    "authorization": `Bearer ${KEY}`, "content-type": "application/json", "content-length": body.length,
    "idempotency-key": randomUUID(),
  };
  return { path: "/v1/perform_advance", headers, body };
};
