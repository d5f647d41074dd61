// The vectors of the law through the JavaScript package, the same in Node and in a page: nothing here knows where it
// runs. A disagreement is thrown, with the vector's name.

/** Checks all of `plans.json`, and says how many vectors agree. */
export function checkPlans({ plan }, vectors) {
  let agreed = 0;
  for (const { created_at, expect, ...terms } of vectors.plans) {
    const { installments } = plan({ ...terms, start_date: created_at.slice(0, 10) });
    same(installments, expect, `plan ${agreed}`);
    agreed += 1;
  }
  return agreed;
}

/** Lives through all of `scenarios.json`, and says how many scenarios agree, over how many runs. */
export function checkScenarios(paydown, vectors) {
  let [scenarios, runs] = [0, 0];
  for (const scenario of vectors.scenarios) {
    const world = new World(paydown, scenario.credit);
    for (const run of scenario.runs) {
      world.liveThrough(run);
      same(world.inShort(), run.after, `${scenario.name} after the run of ${run.as_of}`);
      runs += 1;
    }
    same(world.inFull(), scenario.expect, `${scenario.name} at its end`);
    scenarios += 1;
  }
  return { scenarios, runs };
}

/** The facts of a credit that was just advanced. */
export function facts({ id, terms, created_at, transaction_id }) {
  return {
    id,
    account_id: "acct_8841",
    currency: "USD",
    terms,
    created_at,
    turn: 0,
    transaction_id,
    debits: [],
    observations: [],
    words: [],
    timeouts: [],
    unknown_answers: [],
    holds: [],
    exceptions: [],
    written_off: false,
    external_payments: [],
  };
}

const REPORT_WINDOW_DAYS = 5;

/** One credit, and a processor that answers at once. */
class World {
  /** Rows read, by their text; a row says something once its transaction is known. */
  rows = new Map();
  completeReports = [];

  constructor(paydown, { created_at, ...terms }) {
    this.paydown = paydown;
    this.facts = facts({ id: "00000000-0000-0000-0000-000000000001", terms, created_at, transaction_id: "credit" });
  }

  liveThrough({ as_of, complete, report }) {
    this.#read(as_of, report);
    if (complete) this.completeReports.push({ read_at: as_of, window_days: REPORT_WINDOW_DAYS });
    const covered_from = complete ? this.paydown.coveredFrom(this.completeReports) : null;
    this.#decide({ input: "words", covered_from }, as_of);
    this.#decide({ input: "issue" }, as_of);
  }

  /** The report goes through the package's parser, as the processor would have written it. */
  #read(as_of, report) {
    const lines = report.map((row) => `${row.join(",")}\n`);
    const text = `transaction_id,status,code,at\n${lines.join("")}`;
    const read = this.paydown.parseReport(new TextEncoder().encode(text), { download_at: as_of });
    same([read.rows.length, read.malformed], [report.length, []], `the report of ${as_of}`);
    for (const row of read.rows) this.rows.set(JSON.stringify(row), row);
    this.facts.observations = [...this.rows.values()].flatMap(({ transaction_id, status, code, at }) => {
      const subject = this.#subject(transaction_id);
      return subject ? [{ subject, source: "report", status, code, at }] : [];
    });
    const unknown = [...this.rows.values()].filter((row) => !this.#subject(row.transaction_id));
    this.unknownOpen = [...new Set(unknown.map((row) => row.transaction_id))];
  }

  /** The credit or debit whose transaction has this name, if we know it. */
  #subject(transaction) {
    if (transaction === "credit") return this.facts.id;
    return this.facts.debits.find((debit) => debit.transaction_id === transaction)?.id;
  }

  #decide(input, as_of) {
    const decision = this.paydown.decide(this.facts, input, { as_of });
    this.facts = this.paydown.apply(this.facts, decision, as_of);
    for (const effect of decision.effects.filter(({ effect }) => effect === "submit")) {
      const debit = this.facts.debits.find(({ id }) => id === effect.subject);
      debit.transaction_id = `debit/${debit.sequence}`;
    }
    const again = this.paydown.decide(this.facts, input, { as_of });
    same([again.facts, again.effects], [[], []], `${input.input} of ${as_of}, decided twice`);
  }

  #exceptions() {
    const name = (subject) => {
      const debit = this.facts.debits.find(({ id }) => id === subject);
      return debit ? `debit/${debit.sequence}` : "credit";
    };
    const open = this.facts.exceptions.filter((exception) => exception.open);
    const named = open.map(({ kind, subject }) => [kind, name(subject)]);
    const unknown = this.unknownOpen.map((transaction) => ["unknown_transaction", transaction]);
    return [...named, ...unknown].sort((a, b) => (`${a}` < `${b}` ? -1 : 1));
  }

  /** The state as `after` writes it. */
  inShort() {
    const { credit, debits } = this.paydown.statusOf(this.facts);
    const { status, collected, in_flight, scheduled } = credit;
    return [status, collected, in_flight, scheduled, debits.length, this.#exceptions().length];
  }

  /** The state as `expect` writes it. */
  inFull() {
    const { credit, debits } = this.paydown.statusOf(this.facts);
    const { status: credit_status, collected, in_flight, scheduled } = credit;
    const shown = debits.map(({ sequence, amount, due_date, status, reason, cancelled_because, replaces, code,
      submitted_at }) =>
      ({ sequence, amount, due_date, status, reason, cancelled_because, replaces, code, submitted_at }));
    return { credit_status, collected, in_flight, scheduled, debits: shown, exceptions: this.#exceptions() };
  }
}

/** Throws unless two values are the same in JSON, whatever the order of their members. */
function same(found, expected, what) {
  const [one, other] = [found, expected].map((value) => JSON.stringify(sorted(value)));
  if (one !== other) throw new Error(`${what}:\n  found    ${one}\n  expected ${other}`);
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}
