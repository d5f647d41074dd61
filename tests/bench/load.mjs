// The load: so many connections, each of which asks again as soon as it is answered.

import { Agent, request } from "node:http";

/** Makes `count` requests over `connections`; how long all of it took, and each of them, in milliseconds. */
export const load = async (address, connections, count, next) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const took = new Float64Array(count);
  let begun = 0;
  const connection = async () => {
    while (begun < count) {
      const number = begun++;
      const at = performance.now();
      const status = await ask(agent, address, next());
      took[number] = performance.now() - at;
      if (status !== 201) throw new Error(`${address} answered ${status}`);
    }
  };
  const at = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  const all = performance.now() - at;
  agent.destroy();
  return { milliseconds: all, took: took.sort() };
};

const ask = (agent, address, { path, headers, body }) => new Promise((resolve, reject) => {
  const asked = request(address + path, { agent, method: "POST", headers });
  asked.once("response", (response) => response.resume().once("end", () => resolve(response.statusCode)));
  asked.once("error", reject);
  asked.end(body);
});

/** The value that a share of the sorted ones does not exceed. */
export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];

/** The middle one. */
export const median = (values) => percentile([...values].sort((a, b) => a - b), 0.5);
