// Stands before the Worker and counts what it asks of its database. `/bench/counted` says what that was since it was asked
// last.

import Worker from "./shim.mjs";

const nothing = () => ({ batches: 0, statements: 0, read: 0, written: 0 });
let counted = nothing();

// The Worker looks at the name of the class.
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
    super(context, { ...env, DB: new D1Database(env.DB) });
  }

  fetch(request) {
    if (!request.url.endsWith("/bench/counted")) return super.fetch(request);
    const answer = Response.json(counted);
    counted = nothing();
    return answer;
  }
}
