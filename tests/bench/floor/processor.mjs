// The processor as the floor calls it.

/** How many calls wait for the processor at once (Cloudflare Workers, limits, simultaneous open connections). */
const CONCURRENCY = 6;

export const asked = (src_bank_account, dst_bank_account, amount, direction, reference) =>
  JSON.stringify({ src_bank_account, dst_bank_account, amount, direction, reference });

export const call = async (env, key, body) => {
  const response = await fetch(`${env.PROCESSOR_URL}/transactions`, {
    method: "POST",
    headers: {
      "authorization": `Bearer ${env.PROCESSOR_TOKEN}`, "idempotency-key": key, "content-type": "application/json",
    },
    body,
  });
  return (await response.json()).transaction_id;
};

/** Does the work for each, as many at once as there may be calls. */
export const each = (all, work) => {
  const waiting = all.values();
  return Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (const one of waiting) await work(one);
  }));
};
