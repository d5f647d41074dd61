// What the package exports; the shapes are in types.d.ts.

import type {
  CompleteReport, Context, Decision, Facts, Input, PaydownErrorCode, Plan, PlanRequest, Report, ReportOptions, Standing,
} from "./types.js";

export type * from "./types.js";

/**
 * What is due when. With a run date after the first due date, all of the plan moves later by whole intervals.
 *
 * @throws {PaydownError} `bad_input`, `bad_terms`
 */
export function plan(request: PlanRequest): Plan;

/**
 * What follows for one credit: new facts, and effects to carry out. It depends on its arguments alone, and changes none
 * of them; decided again on facts that hold the decision, nothing follows.
 *
 * @throws {PaydownError} `bad_input`, `bad_terms`
 */
export function decide(facts: Facts, input: Input, context: Context): Decision;

/**
 * The facts with those of a decision that was taken at `asOf`, as a ledger has them once it landed.
 *
 * @throws {PaydownError} `bad_input`, `bad_terms`; `stale_decision` when it was taken on other facts
 */
export function apply(facts: Facts, decision: Decision, asOf: string): Facts;

/**
 * Where a credit and its debits stand, and its balances.
 *
 * @throws {PaydownError} `bad_input`, `bad_terms`; `out_of_range` when a balance is beyond 2^53 - 1
 */
export function statusOf(facts: Facts): Standing;

/**
 * The instant from which on complete reports, in any order, cover all time up to the latest of them: the
 * `covered_from` of the input `words`. `null` without a report.
 *
 * @throws {PaydownError} `bad_input`
 */
export function coveredFrom(reports: CompleteReport[]): string | null;

/**
 * The rows of a report in CSV, and the lines that cannot be read; one bad line costs only itself.
 *
 * @throws {PaydownError} `bad_input` when the bytes are no bytes
 */
export function parseReport(bytes: Uint8Array | ArrayBuffer, options?: ReportOptions): Report;

/** What the functions throw. */
export class PaydownError extends Error {
  constructor(code: PaydownErrorCode, message: string, path: string);
  readonly name: "PaydownError";
  /** What kind of fault it is. */
  readonly code: PaydownErrorCode;
  /** The argument, and the place in it as far as it is known: `facts.debits[3].amount`. */
  readonly path: string;
}
