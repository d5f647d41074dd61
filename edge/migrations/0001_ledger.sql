-- The ledger: facts, only ever added. Instants are RFC 3339 UTC with three decimals, so that they sort as text;
-- an observation's is kept as precise as the processor gave it. Amounts are minor units.

-- Who may call. Only a hash of the key is kept.
CREATE TABLE IF NOT EXISTS api_keys (
  id TEXT NOT NULL,
  hash TEXT NOT NULL,
  label TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (json_valid(scopes)),
  created_at TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (hash)
) STRICT, WITHOUT ROWID;

-- A key that is worth nothing from then on.
CREATE TABLE IF NOT EXISTS api_key_revocations (
  api_key_id TEXT NOT NULL REFERENCES api_keys (id),
  revoked_at TEXT NOT NULL,
  PRIMARY KEY (api_key_id)
) STRICT, WITHOUT ROWID;

-- Each policy that was ever in force, by the hash of its text.
CREATE TABLE IF NOT EXISTS policies (
  id TEXT NOT NULL,
  policy TEXT NOT NULL CHECK (json_valid(policy)),
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- While the latest of these is a stop, no advance and no debit leaves.
CREATE TABLE IF NOT EXISTS stops (
  id TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('stop', 'start')),
  actor TEXT NOT NULL,
  note TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS stops_by_time ON stops (at);

-- The advances. `body` is what the processor is asked, byte for byte.
CREATE TABLE IF NOT EXISTS credits (
  id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  fee INTEGER NOT NULL CHECK (fee >= 0),
  currency TEXT NOT NULL,
  installments INTEGER NOT NULL CHECK (installments > 0),
  interval_days INTEGER NOT NULL CHECK (interval_days > 0),
  body TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS credits_by_account ON credits (account_id, created_at);
CREATE INDEX IF NOT EXISTS credits_by_creation ON credits (created_at, id);

-- Idempotency: each key that was ever used, the request it stood for, and the credit it made.
CREATE TABLE IF NOT EXISTS requests (
  idempotency_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  api_key_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (idempotency_key),
  UNIQUE (credit_id)
) STRICT, WITHOUT ROWID;

-- The processor's name of the transaction that pays a credit out.
CREATE TABLE IF NOT EXISTS credit_transactions (
  credit_id TEXT NOT NULL REFERENCES credits (id),
  transaction_id TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (credit_id),
  UNIQUE (transaction_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS credit_transactions_by_time ON credit_transactions (at);

-- One execution of the daily debits processor.
CREATE TABLE IF NOT EXISTS runs (
  id TEXT NOT NULL,
  business_date TEXT NOT NULL,
  as_of TEXT NOT NULL,
  started_at TEXT NOT NULL,
  missed_days TEXT NOT NULL CHECK (json_valid(missed_days)),
  PRIMARY KEY (id),
  UNIQUE (as_of)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_by_date ON runs (business_date);

-- How far a run got: a row for each slice that is done, and one without cursor when the stage is.
CREATE TABLE IF NOT EXISTS run_stages (
  run_id TEXT NOT NULL REFERENCES runs (id),
  stage TEXT NOT NULL,
  slice INTEGER NOT NULL,
  cursor TEXT,
  detail TEXT NOT NULL CHECK (json_valid(detail)),
  at TEXT NOT NULL,
  PRIMARY KEY (run_id, stage, slice)
) STRICT, WITHOUT ROWID;

-- How a run ended.
CREATE TABLE IF NOT EXISTS run_closings (
  run_id TEXT NOT NULL REFERENCES runs (id),
  status TEXT NOT NULL CHECK (status IN ('complete', 'incomplete', 'failed')),
  reasons TEXT NOT NULL CHECK (json_valid(reasons)),
  counts TEXT NOT NULL CHECK (json_valid(counts)),
  finished_at TEXT NOT NULL,
  PRIMARY KEY (run_id)
) STRICT, WITHOUT ROWID;

-- What a run downloaded and archived. `whole` is 1 when nothing of it was cut off.
CREATE TABLE IF NOT EXISTS reports (
  run_id TEXT NOT NULL REFERENCES runs (id),
  object_key TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
  window_days INTEGER NOT NULL,
  read_at TEXT NOT NULL,
  PRIMARY KEY (run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reports_by_time ON reports (read_at);

-- The optimistic lock: each change to a credit takes the next turn.
CREATE TABLE IF NOT EXISTS decisions (
  id TEXT NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  turn INTEGER NOT NULL,
  rule TEXT NOT NULL,
  policy_id TEXT NOT NULL REFERENCES policies (id),
  run_id TEXT REFERENCES runs (id),
  at TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (credit_id, turn)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decisions_by_run ON decisions (run_id);
CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions (at);

-- The collections, planned and replaced.
CREATE TABLE IF NOT EXISTS debits (
  id TEXT NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  sequence INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  due_date TEXT NOT NULL,
  reason TEXT NOT NULL,
  replaces INTEGER,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (id),
  UNIQUE (credit_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS debits_by_due_date ON debits (due_date, id);

-- The intent to submit a debit, before the processor is called. `body` is what it is asked, byte for byte.
CREATE TABLE IF NOT EXISTS processed_debits (
  debit_id TEXT NOT NULL REFERENCES debits (id),
  credit_id TEXT NOT NULL,
  body TEXT NOT NULL,
  at TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (debit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS processed_debits_by_time ON processed_debits (at);

-- The processor's name of the transaction of a debit.
CREATE TABLE IF NOT EXISTS debit_transactions (
  debit_id TEXT NOT NULL REFERENCES debits (id),
  credit_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (debit_id),
  UNIQUE (transaction_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS debit_transactions_by_time ON debit_transactions (at);

-- The first call for a credit or debit whose outcome is not known.
CREATE TABLE IF NOT EXISTS unknown_answers (
  subject_id TEXT NOT NULL,
  credit_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (subject_id)
) STRICT, WITHOUT ROWID;

-- Who claimed the first call for a credit whose call was left to the queue: only the first call's refusal proves anything.
CREATE TABLE IF NOT EXISTS first_calls (
  subject_id TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (subject_id)
) STRICT, WITHOUT ROWID;

-- Each distinct thing that was said of a transaction. `subject_id` is empty when the row named a transaction only.
CREATE TABLE IF NOT EXISTS observations (
  transaction_id TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  at TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('success', 'failure')),
  code TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('report', 'refusal', 'decision')),
  run_id TEXT,
  detail TEXT NOT NULL,
  PRIMARY KEY (transaction_id, subject_id, at, status, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS observations_by_run ON observations (run_id);
CREATE INDEX IF NOT EXISTS observations_by_subject ON observations (subject_id);

-- Rows of a report that could not be read. `row_id` stands for their bytes.
CREATE TABLE IF NOT EXISTS malformed_rows (
  run_id TEXT NOT NULL REFERENCES runs (id),
  line INTEGER NOT NULL,
  row_id TEXT NOT NULL,
  quoted TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (run_id, line)
) STRICT, WITHOUT ROWID;

-- What decisions took into effect of the observations.
CREATE TABLE IF NOT EXISTS words (
  subject_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  credit_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT,
  at TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (subject_id, turn)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS words_by_credit ON words (credit_id, turn);
CREATE INDEX IF NOT EXISTS words_by_decision ON words (decision_id);

-- Credits and debits without a word for the days of the policy.
CREATE TABLE IF NOT EXISTS timeouts (
  subject_id TEXT NOT NULL,
  credit_id TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timeouts_by_credit ON timeouts (credit_id);

-- Debits that will never be submitted.
CREATE TABLE IF NOT EXISTS cancellations (
  debit_id TEXT NOT NULL REFERENCES debits (id),
  credit_id TEXT NOT NULL,
  because TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (debit_id)
) STRICT, WITHOUT ROWID;

-- What a person must look at.
CREATE TABLE IF NOT EXISTS exceptions (
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  credit_id TEXT,
  run_id TEXT,
  detail TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  decision_id TEXT,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS exceptions_by_kind ON exceptions (kind, subject);
CREATE INDEX IF NOT EXISTS exceptions_by_credit ON exceptions (credit_id);
CREATE INDEX IF NOT EXISTS exceptions_by_time ON exceptions (opened_at, id);
CREATE INDEX IF NOT EXISTS exceptions_by_run ON exceptions (run_id);

-- How an exception closed: by a person, or by itself when its cause was gone.
CREATE TABLE IF NOT EXISTS resolutions (
  exception_id TEXT NOT NULL REFERENCES exceptions (id),
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  note TEXT NOT NULL,
  resolved_at TEXT NOT NULL,
  decision_id TEXT,
  PRIMARY KEY (exception_id)
) STRICT, WITHOUT ROWID;

-- One exception holding one credit.
CREATE TABLE IF NOT EXISTS holds (
  credit_id TEXT NOT NULL REFERENCES credits (id),
  exception_id TEXT NOT NULL REFERENCES exceptions (id),
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (credit_id, exception_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holds_by_exception ON holds (exception_id);

-- The end of a hold.
CREATE TABLE IF NOT EXISTS releases (
  credit_id TEXT NOT NULL REFERENCES credits (id),
  exception_id TEXT NOT NULL REFERENCES exceptions (id),
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (credit_id, exception_id)
) STRICT, WITHOUT ROWID;

-- Credits that an operator gave up.
CREATE TABLE IF NOT EXISTS write_offs (
  credit_id TEXT NOT NULL REFERENCES credits (id),
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (credit_id)
) STRICT, WITHOUT ROWID;

-- What a run leaves to the next: credits with something due, unanswered or not covered.
CREATE TABLE IF NOT EXISTS carried_over (
  run_id TEXT NOT NULL REFERENCES runs (id),
  kind TEXT NOT NULL CHECK (kind IN ('due', 'unanswered', 'not_covered')),
  credit_id TEXT NOT NULL,
  PRIMARY KEY (run_id, kind, credit_id)
) STRICT, WITHOUT ROWID;

-- Queue messages that could not be handled.
CREATE TABLE IF NOT EXISTS dead_letters (
  id TEXT NOT NULL,
  queue TEXT NOT NULL,
  body TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- Where the sandbox's clock was set to, and what the real one said then.
CREATE TABLE IF NOT EXISTS sandbox_clock (
  set_at TEXT NOT NULL,
  now TEXT NOT NULL,
  PRIMARY KEY (set_at, now)
) STRICT, WITHOUT ROWID;
