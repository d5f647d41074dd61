-- What bounds advances in all, and what became of those that waited in a queue before they were recorded.

-- What was advanced on a business date while a limit was set: a running total, so that no batch sums up a day.
CREATE TABLE IF NOT EXISTS advanced (
  business_date TEXT NOT NULL,
  number INTEGER NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  total INTEGER NOT NULL,
  PRIMARY KEY (business_date, number),
  UNIQUE (credit_id)
) STRICT, WITHOUT ROWID;

-- Requests that were answered from the queue and may not be recorded after all. `credit_id` is what was answered; a
-- message that comes again changes nothing any more, and the client's next request is a request of its own.
CREATE TABLE IF NOT EXISTS refused_requests (
  request_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  credit_id TEXT NOT NULL,
  why TEXT NOT NULL,
  message TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (request_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS advanced_no_update BEFORE UPDATE ON advanced BEGIN SELECT RAISE(ABORT, 'facts are only added: advanced'); END;
CREATE TRIGGER IF NOT EXISTS advanced_no_delete BEFORE DELETE ON advanced BEGIN SELECT RAISE(ABORT, 'facts are only added: advanced'); END;
CREATE TRIGGER IF NOT EXISTS advanced_no_replace BEFORE INSERT ON advanced WHEN EXISTS (SELECT 1 FROM advanced WHERE business_date = NEW.business_date AND number = NEW.number) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS advanced_no_replace_by_credit_id BEFORE INSERT ON advanced WHEN EXISTS (SELECT 1 FROM advanced WHERE credit_id = NEW.credit_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS refused_requests_no_update BEFORE UPDATE ON refused_requests BEGIN SELECT RAISE(ABORT, 'facts are only added: refused_requests'); END;
CREATE TRIGGER IF NOT EXISTS refused_requests_no_delete BEFORE DELETE ON refused_requests BEGIN SELECT RAISE(ABORT, 'facts are only added: refused_requests'); END;
CREATE TRIGGER IF NOT EXISTS refused_requests_no_replace BEFORE INSERT ON refused_requests WHEN EXISTS (SELECT 1 FROM refused_requests WHERE request_id = NEW.request_id) BEGIN SELECT RAISE(IGNORE); END;
