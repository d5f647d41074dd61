// The shapes that the package takes and gives. Made from the schemas of core's own types, not written by hand:
// PAYDOWN_UPDATE=1 cargo nextest run -p paydown-js types

/** Why a debit was cancelled. */
export type Because =
  /** The bank returned the advance (L2). */
  | "credit_returned"
  /** It was more than was still owed (L6). */
  | "shortened"
  /** The plan was paused (L8). */
  | "paused"
  /** The rest is collected at once (L8). */
  | "paid_off"
  /** The credit was written off (L8). */
  | "written_off";

/** A civil date in the business time zone. On the wire `YYYY-MM-DD`. */
export type BusinessDate = string;

/** An amount in minor units of the currency. */
export type Cents = number;

/** A column of the report by its header name. */
export type Column =
  /** `transaction_id`, needed. */
  | "transaction_id"
  /** `status`, needed. */
  | "status"
  /** `code`, needed. */
  | "code"
  /** `at`, needed. */
  | "at"
  /** `reference`, read where there is one. */
  | "reference"
  /** A column of any other name. */
  | "ignored";

/** A complete report: downloaded whole, with no malformed row open. */
export interface CompleteReport {
  /** The instant as of which it was downloaded. */
  read_at: string;
  /** How many times 24 h before `read_at` it reaches. */
  window_days: number;
}

/** What a decision knows besides the facts of the credit. */
export interface Context {
  /** The run's instant. */
  as_of: string;
  /** The business time zone as its offsets: from an instant on, so many seconds east of UTC; UTC by default. */
  offsets?: Array<[string, number]>;
  /** The policy in force; the law's own by default. */
  policy?: Policy | null;
}

/** A credit as the API shows it. */
export interface Credit {
  /** The customer's bank account. */
  account_id: string;
  /** What is paid out. */
  amount: Cents;
  /** The sum of the collected debits. */
  collected: Cents;
  /** When it was paid out, by the processor. */
  confirmed_at: string | null;
  /** When it was asked for. */
  created_at: string;
  /** The currency of all its amounts, ISO 4217. */
  currency: string;
  /** What it costs. */
  fee: Cents;
  /** The credit. */
  id: CreditId;
  /** Processed and without word or timeout. */
  in_flight: Cents;
  /** How many installments the plan has. */
  installments: number;
  /** Days from one to the next. */
  interval_days: number;
  /** Owed, less paid, in flight and scheduled: a gap, or negative an excess. */
  missing: number;
  /** When the next debit is due that is still to be issued. */
  next_due_date: BusinessDate | null;
  /** What is still to be paid. */
  outstanding: Cents;
  /** Collected, plus paid elsewhere, less refunded; negative when more was refunded. */
  paid: number;
  /** Neither processed nor cancelled. */
  scheduled: Cents;
  /** Where it stands. */
  status: CreditStatus;
  /** The transaction that pays it out, once the processor has named it. */
  transaction_id: TransactionId | null;
}

/** The id of a credit, and the idempotency key of its transaction. */
export type CreditId = string;

/** Where a credit stands. */
export type CreditStatus =
  /** Paid out or to be, without word. */
  | "pending"
  /** Without word for five days. */
  | "unconfirmed"
  /** The latest word is failure. */
  | "failed"
  /** Given up by an operator. */
  | "written_off"
  /** All that is owed was paid. */
  | "repaid"
  /** Issues nothing until released. */
  | "held"
  /** Being collected. */
  | "active";

/** A debit as the API shows it. */
export interface Debit {
  /** The customer's bank account. */
  account_id: string;
  /** What it collects. */
  amount: Cents;
  /** Why it will never be submitted. */
  cancelled_because: Because | null;
  /** The return code of its failure. */
  code: string | null;
  /** The credit it collects for. */
  credit_id: CreditId;
  /** When it is due. */
  due_date: BusinessDate;
  /** The debit. */
  id: DebitId;
  /** Why it was made. */
  reason: Reason;
  /** The sequences of the debits that took its place. */
  replaced_by: Array<number>;
  /** The sequence of the debit in whose place it is. */
  replaces: number | null;
  /** When the latest word on it happened, by the processor. */
  resolved_at: string | null;
  /** Its place in the plan, from 1, in the order of creation. */
  sequence: number;
  /** Where it stands. */
  status: DebitStatus;
  /** When the intent to submit it was written. */
  submitted_at: string | null;
  /** Its transaction, once the processor has named it. */
  transaction_id: TransactionId | null;
  /** When it would be due if due dates did not roll, where that is another date. */
  unrolled_due_date: BusinessDate | null;
}

/** The facts of one debit. */
export interface DebitFacts {
  /** What it collects; never zero. */
  amount: Cents;
  /** Why it will never be submitted. */
  cancelled_because: Because | null;
  /** When it is due. */
  due_date: BusinessDate;
  /** The debit, and the idempotency key of its transaction. */
  id: DebitId;
  /** Why it was made. */
  reason: Reason;
  /** The sequence of the debit in whose place it is. */
  replaces: number | null;
  /** Its place in the plan, from 1, in the order of creation. */
  sequence: number;
  /** When the intent to submit it was written. */
  submitted_at: string | null;
  /** Its transaction, once the processor has named it. */
  transaction_id: TransactionId | null;
  /** When it would be due if due dates did not roll, where that is another date (L9). */
  unrolled_due_date?: BusinessDate | null;
}

/** The id of a debit, and the idempotency key of its transaction. */
export type DebitId = string;

/** Where a debit stands. */
export type DebitStatus =
  /** Not due, or due and not issued. */
  | "scheduled"
  /** The intent is written; no transaction id yet. */
  | "processing"
  /** Has a transaction, without word. */
  | "submitted"
  /** The latest word is success. */
  | "collected"
  /** The latest word is failure. */
  | "failed"
  /** Without word for five days under coverage. */
  | "timed_out"
  /** Failed after it was collected. */
  | "returned"
  /** Will never be submitted. */
  | "cancelled";

/** What follows for one credit. Empty when nothing does. */
export interface Decision {
  /** What is to be done besides writing the facts. */
  effects: Array<Effect>;
  /** The new facts, in the order in which they came about. */
  facts: Array<Fact>;
  /** The turn it takes; another decision of the same turn makes it stale. */
  turn: number;
}

/** What becomes of a due date on which banks do not work: the setting `DUE_DATE_ROLL`. */
export type DueDateRoll =
  /** It stays. */
  | "none"
  /** It moves to the next banking day that the credit has free. */
  | "following";

/** What a decision asks to be done. */
export type Effect =
  /** Every other credit of the account is held by this exception too. */
  | {
    effect: "hold_account";
    /** The exception. */
    exception_id: ExceptionId;
  }
  /** The processor is called with the subject's id as key. */
  | {
    /** What is to be moved. */
    amount: Cents;
    effect: "submit";
    /** The credit, debit or refund. */
    subject: string;
  };

/** Something a person must look at, until resolved. */
export interface ExceptionFacts {
  /** Whether a person closed it: the same cause does not open it again. */
  closed_by_operator: boolean;
  /** The exception. */
  id: ExceptionId;
  /** What it is about. */
  kind: Kind;
  /** Whether it is open. */
  open: boolean;
  /** The credit or debit it is about. */
  subject: string;
}

/** The id of an exception. */
export type ExceptionId = string;

/** A payment that did not come by a debit (L8). */
export interface ExternalPayment {
  /** What was paid; never zero. */
  amount: Cents;
  /** The payment. */
  id: string;
  /** When it was received. */
  received_on: BusinessDate;
  /** Whether an operator took it back: it counts no more. */
  revoked: boolean;
  /** The sequences of the debits that it shortened at once. */
  shortened: Array<number>;
}

/** A new fact of a credit. */
export type Fact =
  /** A word is taken into effect. */
  | Word & {
    fact: "word";
  }
  /** A credit, debit or refund timed out. */
  | {
    fact: "timed_out";
    /** The credit, debit or refund. */
    subject: string;
  }
  /** A debit was added to the plan. */
  | DebitFacts & {
    fact: "debit";
  }
  /** A debit will never be submitted. */
  | {
    /** Why. */
    because: Because;
    /** The debit. */
    debit_id: DebitId;
    fact: "cancelled";
  }
  /** The intent to submit a debit; its instant is the run's. */
  | {
    /** The debit. */
    debit_id: DebitId;
    fact: "processed";
  }
  /** The credit is held by an exception of the same decision. */
  | Hold & {
    fact: "held";
  }
  /** A hold on the credit ended. */
  | {
    /** The exception that held it. */
    exception_id: ExceptionId;
    fact: "released";
  }
  /** An exception was opened. */
  | {
    /** What a person should know, in a sentence. */
    detail: string;
    fact: "opened";
    /** The exception. */
    id: ExceptionId;
    /** What it is about. */
    kind: Kind;
    /** The credit or debit it is about. */
    subject: string;
  }
  /** An exception closed by itself: its cause is gone. */
  | {
    fact: "closed";
    /** The exception. */
    id: ExceptionId;
  }
  /** An operator said what became of a transaction: an observation of the decision's instant. */
  | {
    /** The return code of a failure. */
    code: string | null;
    fact: "decided";
    /** What became of it. */
    status: Status;
    /** The credit, debit or refund. */
    subject: string;
  }
  /** An operator named the transaction of a credit, debit or refund. */
  | {
    fact: "attached";
    /** The credit, debit or refund. */
    subject: string;
    /** The processor's name of it. */
    transaction_id: TransactionId;
  }
  /** Something was paid elsewhere. */
  | ExternalPayment & {
    fact: "external_payment";
  }
  /** A payment elsewhere counts no more. */
  | {
    fact: "revoked";
    /** The payment. */
    payment_id: string;
  }
  /** The intent to give something back; its instant is the decision's. */
  | RefundFacts & {
    fact: "refund";
  }
  /** The credit was given up. */
  | {
    fact: "written_off";
  };

/** All facts of one credit: what a decision takes in. */
export interface Facts {
  /** The customer's bank account. */
  account_id: string;
  /** When the advance was asked for. */
  created_at: string;
  /** The currency of all its amounts, ISO 4217. */
  currency: string;
  /** Its debits, by sequence. */
  debits: Array<DebitFacts>;
  /** Its exceptions, open or not. */
  exceptions: Array<ExceptionFacts>;
  /** What was paid elsewhere, revoked or not. */
  external_payments: Array<ExternalPayment>;
  /** What stops it from issuing, released or not. */
  holds: Array<Hold>;
  /** The credit. */
  id: CreditId;
  /** What was said of its transaction and its debits', in any order. */
  observations: Array<Observation>;
  /** What was given back, or is to be. */
  refunds: Array<RefundFacts>;
  /** What is agreed about the repayment. */
  terms: Terms;
  /** The credit or debits that timed out. */
  timeouts: Array<string>;
  /** The transaction that pays it out, once the processor has named it. */
  transaction_id: TransactionId | null;
  /** How many decisions were taken on it; the next one takes this turn. */
  turn: number;
  /** The first unknown answer to the call for a credit or debit. */
  unknown_answers: Array<UnknownAnswer>;
  /** The words that decisions took into effect, in the order of the decisions. */
  words: Array<Word>;
  /** Whether an operator gave it up. */
  written_off: boolean;
}

/** Why a report has no readable header. It then has no rows and is not complete. */
export type HeaderProblem =
  /** There is no line that is not empty. */
  | "absent"
  /** The line is longer than [`MAX_LINE_BYTES`]. */
  | "too_long"
  /** A quote is not closed on the line, or stands where RFC 4180 allows none. */
  | "quoting"
  /** A needed column is missing: the first of transaction_id, status, code, at. */
  | {
    missing: Column;
  }
  /** A column that is read is there more than once. */
  | {
    repeated: Column;
  };

/** Something that stops a credit from issuing debits until it is released. */
export interface Hold {
  /** The exception that says why. */
  exception_id: ExceptionId;
  /** Whether it was released. */
  released: boolean;
}

/** What a decision is asked about. */
export type Input =
  /** The day's words and timeouts: stages 4 to 6 of the run. */
  | {
    /** From when on the reports read cover all time; `None` when this run's report is not complete. */
    covered_from?: string | null;
    input: "words";
  }
  /** The processor's definite refusal of the first call, already among the observations. */
  | {
    input: "refusal";
    /** The credit, debit or refund that was refused. */
    subject: string;
  }
  /** Transactions without an id: which to call for again, which to leave to an operator. */
  | {
    input: "seek";
  }
  /** The debit that is due: stage 7 of the run. */
  | {
    input: "issue";
  }
  /** Two failed debits in a row on the account, one of this credit (`TWO_STRIKES`, L8). */
  | {
    /** The one whose word made them two: mostly the later, but a word may be read late. */
    debit_id: DebitId;
    input: "two_strikes";
  }
  /** An operator holds the credit (L8). */
  | {
    input: "hold";
  }
  /** An operator releases the credit (L8). */
  | {
    /** The exception whose hold ends; all holds when none is named. */
    exception_id?: ExceptionId | null;
    input: "release";
  }
  /** An operator says on evidence what became of a transaction of which the processor said nothing (L8). */
  | {
    /** The return code of a failure. */
    code?: string | null;
    input: "decide";
    /** What became of it. */
    status: Status;
    /** The credit, debit or refund. */
    subject: string;
  }
  /** An operator names the transaction of a credit, debit or refund that has none (L8). */
  | {
    input: "attach";
    /** The credit, debit or refund. */
    subject: string;
    /** The processor's name of it. */
    transaction_id: TransactionId;
  }
  /** Something was paid elsewhere (L8). */
  | {
    /** What was paid; never zero. */
    amount: Cents;
    /** The payment. */
    id: string;
    input: "external_payment";
    /** When it was received. */
    received_on: BusinessDate;
  }
  /** A payment elsewhere counts no more (L8). */
  | {
    input: "revoke";
    /** The payment. */
    payment_id: string;
  }
  /** An operator gives back what was paid beyond what is owed (L8). */
  | {
    /** What is given back; never zero, and at most what was paid too much. */
    amount: Cents;
    /** The refund. */
    id: RefundId;
    input: "refund";
  }
  /** An operator gives the rest up (L8). */
  | {
    input: "write_off";
  }
  /** What is scheduled is collected at once (L8). */
  | {
    input: "pay_off";
  }
  /** The plan waits (L8). */
  | {
    input: "pause";
    /** For how many intervals; at least one. */
    intervals: number;
  };

/** A planned share of the total. */
export interface Installment {
  /** Its share; the first ones carry the odd cents. */
  amount: Cents;
  /** When it is due. */
  due_date: BusinessDate;
  /** Its place in the plan, from 1. */
  sequence: number;
  /** When it would be due if due dates did not roll, where that is another date (L9). */
  unrolled_due_date?: BusinessDate | null;
}

/** The kinds of exceptions of the law. */
export type Kind =
  /** No word on an advance for five days (L2). */
  | "credit_unconfirmed"
  /** The bank returned an advance that was planned (L2). */
  | "credit_returned"
  /** An advance succeeded that had failed before (L2). */
  | "credit_contradiction"
  /** A transaction whose outcome at the processor cannot be sought any more (L3). */
  | "no_answer"
  /** A debit that would have collected more than is owed (L3). */
  | "over_collection_prevented"
  /** Three debits timed out (L5). */
  | "timeout_limit"
  /** The reports read do not cover the time since a debit was submitted (L5). */
  | "report_gap"
  /** Two complete reports with a hole between them (L5). */
  | "report_hole"
  /** More was collected than is owed (L6). */
  | "over_collected"
  /** A report row of a transaction that we do not know (L6). */
  | "unknown_transaction"
  /** A report row that cannot be read (L6). */
  | "malformed_row"
  /** The account cannot or must not be debited (L7). */
  | "hard_return"
  /** A return code that the table does not know (L7). */
  | "unknown_return_code"
  /** No presentment left, or no date (L7). */
  | "retry_limit"
  /** An operator holds the credit (L8). */
  | "held_by_operator"
  /** A row says otherwise than an operator decided (L8). */
  | "decision_contradicted"
  /** More was refunded than was paid (L8). */
  | "over_refunded"
  /** Two debits in a row failed on an account (L8). */
  | "two_strikes"
  /** The day's run did not come by the cron. */
  | "run_late"
  /** A queue message that could not be handled. */
  | "dead_letter"
  /** An advance that was answered from the queue and may not be recorded after all. */
  | "request_refused"
  /** More debits were due, or for more, than a run may issue: it issued none of them. */
  | "run_limit"
  /** Events did not reach a webhook endpoint for days: it is paused. */
  | "webhook_failing";

/** A line that cannot be read. */
export interface MalformedLine {
  /** Its number, 1 for the header. */
  line_number: number;
  /** The line without its ending, at most 4 KiB of it; what is not UTF-8 shows as U+FFFD. */
  text: string;
  /** What is wrong with it: the first that applies. */
  why: Why;
}

/** One status that was stated of a transaction at an instant. */
export interface Observation {
  /** When it happened, by the processor. */
  at: string;
  /** The return code, if one was given. */
  code: string | null;
  /** Who said it. */
  source: Source;
  /** Success or failure. */
  status: Status;
  /** The credit or debit whose transaction it is. */
  subject: string;
}

/** What a set of observations of one transaction comes to. */
export type Outcome =
  /** The latest word is success. */
  | "success"
  /** The latest word is success, with a failure at an earlier instant. */
  | "recovered"
  /** The latest word is failure, without a success before it. */
  | "failure"
  /** The latest word is failure, with a success at an earlier instant. */
  | "returned";

/** Whose fault an error is, and what kind of fault. */
export type PaydownErrorCode =
  /** The caller's: an argument has another shape than its type, or a value out of its range. */
  | "bad_input"
  /** The caller's: terms that no credit can have. */
  | "bad_terms"
  /** The caller's: the decision was taken on other facts. */
  | "stale_decision"
  /** A figure of the result is beyond 2^53 - 1, so that a JavaScript number could not hold it exactly. */
  | "out_of_range";

/** What a plan would be; nothing is recorded. */
export interface Plan {
  /** What would be due when. */
  installments: Array<Installment>;
  /** The date of the advance. */
  start_date: BusinessDate;
  /** `amount + fee`. */
  total: Cents;
}

/** What a plan is asked for. */
export interface PlanRequest {
  /** What is paid out, in minor units, from 1. */
  amount: Cents;
  /** Whether due dates roll onto banking days of the Federal Reserve (L9); they do not by default. */
  due_date_roll?: DueDateRoll;
  /** What it costs, at most the amount; 0 by default. */
  fee?: Cents;
  /** How many installments, 1 to 104, at most as many as there are minor units owed; 12 by default. */
  installments?: number;
  /** Days from one to the next, 1 to 92; 7 by default. */
  interval_days?: number;
  /** The date of the run that plans it; the date of the advance by default. */
  run_date?: BusinessDate | null;
  /** The date of the advance. */
  start_date: BusinessDate;
}

/**
 * The limits of the law. They are recorded with each decision, so that changing one later
 * rewrites nothing.
 */
export interface Policy {
  /** Whether due dates roll onto banking days (L9). */
  due_date_roll?: DueDateRoll;
  /** For how many days after the first unknown answer a key may be called again; `None`: for ever (L3). */
  key_days?: number | null;
  /** How many presentments a family may have when the last failed without a code (L7). */
  no_code_presentments: number;
  /** How many days after the first presentment the last one may be due (L7). */
  retryable_days: number;
  /** How many presentments a family may have when the last failed for want of funds (L7). */
  retryable_presentments: number;
  /** After how many times 24 h without a word a transaction times out (L2, L5). */
  timeout_days: number;
  /** With how many debits timed out and without word a credit is held (L5). */
  timeout_limit: number;
  /** Whether two failed debits in a row on an account hold all its credits (L8). */
  two_strikes?: boolean;
}

/** Why a debit was made. */
export type Reason =
  /** An installment of the plan (L1). */
  | "planned"
  /** The one it replaces failed (L4). */
  | "failed"
  /** The one it replaces timed out (L4, L5). */
  | "timed_out"
  /** The one it replaces was returned (L4). */
  | "returned"
  /** The one it replaces was more than was still owed (L6). */
  | "shortened"
  /** The plan was paused (L8). */
  | "paused"
  /** The rest is collected at once (L8). */
  | "paid_off"
  /** What it collects was taken for paid, and is owed after all: a payment was revoked, or given back (L8). */
  | "owed_again";

/** Money that goes back to the customer by a credit transaction of its own (L8). */
export interface RefundFacts {
  /** What is given back; never zero. */
  amount: Cents;
  /** The refund, and the idempotency key of its transaction. */
  id: RefundId;
  /** When the intent to give it back was written. */
  submitted_at: string;
  /** Its transaction, once the processor has named it. */
  transaction_id: TransactionId | null;
}

/** The id of a refund, and the idempotency key of its transaction. */
export type RefundId = string;

/** A report that was read. */
export interface Report {
  /** How many bytes it has. */
  bytes: number;
  /** Whether the last line has its ending. */
  final_newline: boolean;
  /** Why there are no rows, when the header cannot be read. */
  header_problem: HeaderProblem | null;
  /** How many lines it has, the header and empty ones included. */
  lines: number;
  /** The lines that cannot be read, in the report's order. */
  malformed: Array<MalformedLine>;
  /** The rows, in the report's order. */
  rows: Array<ReportRow>;
  /** Whether it has a header and a final newline; without them it is not complete (L5). */
  whole: boolean;
}

/** How a report is read. */
export interface ReportOptions {
  /** When the report was downloaded: a row more than a day later is malformed. Without it, none is for that reason. */
  download_at?: string | null;
}

/** A status that the processor states of a transaction at an instant. */
export interface ReportRow {
  /** When it happened. */
  at: string;
  /** The code exactly as written, also of a success. */
  code: string | null;
  /** The id that we sent, when the report has the column and the field holds a UUID. */
  reference: string | null;
  /** What the processor says happened. */
  status: Status;
  /** The processor's name of the transaction. */
  transaction_id: string;
}

/** Who said it. */
export type Source =
  /** A row of the processor's report. */
  | "report"
  /** The processor's definite refusal of the first call. */
  | "refusal"
  /** An operator, on evidence; counts only while the processor has said nothing. */
  | "decision";

/** Where a credit and its debits stand. */
export interface Standing {
  /** The credit, with its status and balances. */
  credit: Credit;
  /** Its debits, by sequence. */
  debits: Array<Debit>;
}

/** What happened to a transaction. */
export type Status =
  /** The money moved. */
  | "success"
  /** The money did not move, or moved back. */
  | "failure";

/** What is agreed about the repayment of a credit. */
export interface Terms {
  /** What is paid out, `1..`. */
  amount: Cents;
  /** What it costs, `0..=amount`. */
  fee: Cents;
  /** How many installments, `1..=104`, never more than `amount + fee` has cents. */
  installments: number;
  /** Days from one to the next, `1..=92`. */
  interval_days: number;
}

/** The processor's name of a transaction. */
export type TransactionId = string;

/** The first call under a key whose outcome at the processor is not known. */
export interface UnknownAnswer {
  /** When it was made. */
  at: string;
  /** The credit or debit it was for. */
  subject: string;
}

/** Why a line is malformed, in the order in which it is asked. */
export type Why =
  /** The line is longer than [`MAX_LINE_BYTES`]. */
  | "too_long"
  /** The line is not UTF-8. */
  | "not_utf8"
  /** A quote is not closed on the line, or stands where RFC 4180 allows none. */
  | "quoting"
  /** The line has more or fewer fields than the header. */
  | "field_count"
  /** The last line has no ending, and its last field is one that a cut leaves readable. */
  | "cut_off"
  /** The transaction id is empty, longer than 255 bytes or has control characters. */
  | "transaction_id"
  /** The status is not exactly `success` or `failure`. */
  | "status"
  /** The code is longer than [`MAX_CODE_BYTES`] or has control characters. */
  | "code"
  /** The instant is not RFC 3339. */
  | "at"
  /** The instant is more than a day after the download. */
  | "after_download";

/** The latest word on a transaction. */
export interface Word {
  /** The instant of the observation that is the latest word. */
  at: string;
  /** The return code of a failure. */
  code: string | null;
  /** What the observations come to. */
  outcome: Outcome;
  /** The credit or debit whose transaction it is. */
  subject: string;
}
