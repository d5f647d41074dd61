// The processor of every contestant: it carries out whatever it is asked at once, and gives the report that it was last
// told. A process of its own, so that nobody waits for it who measures.

import { createServer } from "node:http";

let report = Buffer.from("transaction_id,status,code,at\n");
let calls = 0;

const read = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const json = (response, value) => {
  const body = JSON.stringify(value);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
};

const server = createServer(async (request, response) => {
  if (request.method === "POST" && request.url === "/transactions") {
    calls += 1;
    request.resume();
    return json(response, { transaction_id: `tx_${request.headers["idempotency-key"]}` });
  }
  if (request.method === "GET" && request.url === "/report") {
    return response.writeHead(200, { "content-type": "text/csv", "content-length": report.length }).end(report);
  }
  if (request.method === "PUT" && request.url === "/report") {
    report = await read(request);
    return json(response, { bytes: report.length });
  }
  json(response, { calls });
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.once("SIGTERM", () => process.exit());
