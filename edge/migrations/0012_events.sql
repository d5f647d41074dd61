-- What is told to those who ask for it. Each event is a fact of its own, written in the transaction of the fact that it tells,
-- by a trigger beside that fact: none is left out, and none comes twice. What it says follows from the facts that it names.

-- The events in the order in which they came about, numbered without a gap. `subject_id` is the credit, debit, exception or
-- run; `turn` that of the decision, where a credit's or debit's own decision made it.
CREATE TABLE IF NOT EXISTS events (
  number INTEGER NOT NULL,
  type TEXT NOT NULL,
  credit_id TEXT,
  subject_id TEXT NOT NULL,
  turn INTEGER,
  at TEXT NOT NULL,
  PRIMARY KEY (number)
) STRICT, WITHOUT ROWID;

-- The statuses that credits came to by decisions, where an event tells of it. They follow from the other facts.
CREATE TABLE IF NOT EXISTS standings (
  credit_id TEXT NOT NULL REFERENCES credits (id),
  turn INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('failed', 'held', 'repaid')),
  PRIMARY KEY (credit_id, turn)
) STRICT, WITHOUT ROWID;

-- A success that follows on another, because a failure before it was read late, confirms nothing anew.
CREATE TRIGGER IF NOT EXISTS events_of_confirmations AFTER INSERT ON words WHEN NEW.subject_id = NEW.credit_id AND NEW.outcome IN ('success', 'recovered') AND coalesce((SELECT outcome FROM words WHERE subject_id = NEW.subject_id AND turn < NEW.turn ORDER BY turn DESC LIMIT 1), '') NOT IN ('success', 'recovered') BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT (SELECT coalesce(max(number), 0) + 1 FROM events), 'credit.confirmed', NEW.credit_id, NEW.subject_id, NEW.turn, at FROM decisions WHERE id = NEW.decision_id; END;

CREATE TRIGGER IF NOT EXISTS events_of_standings AFTER INSERT ON standings BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT (SELECT coalesce(max(number), 0) + 1 FROM events), 'credit.' || NEW.status, NEW.credit_id, NEW.credit_id, NEW.turn, at FROM decisions WHERE credit_id = NEW.credit_id AND turn = NEW.turn; END;

-- A debit whose word is known before its transaction is named is past being submitted.
CREATE TRIGGER IF NOT EXISTS events_of_submissions AFTER INSERT ON debit_transactions WHEN NOT EXISTS (SELECT 1 FROM words WHERE subject_id = NEW.debit_id) BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT coalesce(max(number), 0) + 1, 'debit.submitted', NEW.credit_id, NEW.debit_id, NULL, NEW.at FROM events; END;

CREATE TRIGGER IF NOT EXISTS events_of_words AFTER INSERT ON words WHEN EXISTS (SELECT 1 FROM debits WHERE id = NEW.subject_id) BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT (SELECT coalesce(max(number), 0) + 1 FROM events), iif(NEW.outcome = 'failure', 'debit.failed', iif(NEW.outcome = 'returned', 'debit.returned', 'debit.collected')), NEW.credit_id, NEW.subject_id, NEW.turn, at FROM decisions WHERE id = NEW.decision_id; END;

CREATE TRIGGER IF NOT EXISTS events_of_timeouts AFTER INSERT ON timeouts WHEN EXISTS (SELECT 1 FROM debits WHERE id = NEW.subject_id) BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT (SELECT coalesce(max(number), 0) + 1 FROM events), 'debit.timed_out', NEW.credit_id, NEW.subject_id, turn, at FROM decisions WHERE id = NEW.decision_id; END;

CREATE TRIGGER IF NOT EXISTS events_of_exceptions AFTER INSERT ON exceptions BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT coalesce(max(number), 0) + 1, 'exception.opened', NEW.credit_id, NEW.id, NULL, NEW.opened_at FROM events; END;

CREATE TRIGGER IF NOT EXISTS events_of_resolutions AFTER INSERT ON resolutions BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT (SELECT coalesce(max(number), 0) + 1 FROM events), 'exception.closed', credit_id, id, NULL, NEW.resolved_at FROM exceptions WHERE id = NEW.exception_id; END;

CREATE TRIGGER IF NOT EXISTS events_of_closings AFTER INSERT ON run_closings BEGIN INSERT INTO events (number, type, credit_id, subject_id, turn, at) SELECT coalesce(max(number), 0) + 1, 'run.completed', NULL, NEW.run_id, NULL, NEW.finished_at FROM events; END;

CREATE TRIGGER IF NOT EXISTS events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'facts are only added: events'); END;
CREATE TRIGGER IF NOT EXISTS events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'facts are only added: events'); END;
CREATE TRIGGER IF NOT EXISTS events_no_replace BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE number = NEW.number) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS standings_no_update BEFORE UPDATE ON standings BEGIN SELECT RAISE(ABORT, 'facts are only added: standings'); END;
CREATE TRIGGER IF NOT EXISTS standings_no_delete BEFORE DELETE ON standings BEGIN SELECT RAISE(ABORT, 'facts are only added: standings'); END;
CREATE TRIGGER IF NOT EXISTS standings_no_replace BEFORE INSERT ON standings WHEN EXISTS (SELECT 1 FROM standings WHERE credit_id = NEW.credit_id AND turn = NEW.turn) BEGIN SELECT RAISE(IGNORE); END;
