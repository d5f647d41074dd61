// A consumer of webhooks that verifies them with the specification's own library. It listens on the port that it is given, or on
// any, prints its address, is told the secret on standard input, and prints each webhook that it takes as it came, a line for each. Each third event it does not take when it
// comes first, of one of ten it loses the answer. What is redirected to /inside must never come.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let secret = "";
createInterface({ input: process.stdin }).on("line", (line) => (secret = line));

const seen = new Set();
const server = createServer((request, response) => {
  if (request.url === "/redirect") {
    response.writeHead(307, { location: "/inside" }).end();
    return;
  }
  if (request.url === "/inside") console.log(JSON.stringify({ inside: true }));
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const isNew = !seen.has(request.headers["webhook-id"]);
    seen.add(request.headers["webhook-id"]);
    const body = Buffer.concat(chunks).toString();
    try {
      new Webhook(secret).verify(body, request.headers);
    } catch (error) {
      console.log(JSON.stringify({ forged: String(error), body }));
      response.writeHead(400).end();
      return;
    }
    if (isNew && seen.size % 3 === 0) {
      response.writeHead(500).end();
      return;
    }
    console.log(body);
    if (isNew && seen.size % 10 === 1) request.socket.destroy();
    else response.writeHead(204).end();
  });
});
const listen = () => server.listen(Number(process.argv[2] ?? 0), "127.0.0.1");
server.on("listening", () => console.log(`http://127.0.0.1:${server.address().port}`));
// Where it begins again, someone else's connection may still have its port.
server.on("error", () => setTimeout(listen, 200));
listen();
