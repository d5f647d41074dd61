// Stands before the Worker for what a local runtime has otherwise than the platform. The rate limiter: the platform counts in the
// memory of the machine, the local one in a database on disk, a write for each request. And, where it is wanted, it counts what is
// asked of the database: `/bench/counted` says what that was since it was asked last.

import Worker from "./shim.mjs";

// The Worker looks at the name of this class and the next.
class Ratelimit {
  #counts = new Map();

  async limit({ key }) {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return { success: true };
  }
}

const nothing = () => ({ batches: 0, statements: 0, read: 0, written: 0 });
let counted = nothing();

class D1Database {
  constructor(database) {
    this.database = database;
  }

  prepare(sql) {
    return this.database.prepare(sql);
  }

  async batch(statements) {
    const results = await this.database.batch(statements);
    counted.batches += 1;
    counted.statements += statements.length;
    for (const { meta } of results) {
      counted.read += meta.rows_read;
      counted.written += meta.rows_written;
    }
    return results;
  }
}

export default class extends Worker {
  constructor(context, env) {
    super(context, { ...env, LIMITER: new Ratelimit(), ...env.COUNTED && { DB: new D1Database(env.DB) } });
  }

  fetch(request) {
    if (!request.url.endsWith("/bench/counted")) return super.fetch(request);
    const answer = Response.json(counted);
    counted = nothing();
    return answer;
  }
}
