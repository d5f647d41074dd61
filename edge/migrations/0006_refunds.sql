-- What was given back (L8).

-- The intent to give back what was paid too much, before the processor is called. `body` is what it is asked, byte for byte.
CREATE TABLE IF NOT EXISTS refunds (
  id TEXT NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  amount INTEGER NOT NULL CHECK (amount > 0),
  body TEXT NOT NULL,
  at TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refunds_by_credit ON refunds (credit_id);
CREATE INDEX IF NOT EXISTS refunds_by_time ON refunds (at);

-- The processor's name of the transaction of a refund.
CREATE TABLE IF NOT EXISTS refund_transactions (
  refund_id TEXT NOT NULL REFERENCES refunds (id),
  credit_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (refund_id),
  UNIQUE (transaction_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refund_transactions_by_time ON refund_transactions (at);

CREATE TRIGGER IF NOT EXISTS refunds_no_update BEFORE UPDATE ON refunds BEGIN SELECT RAISE(ABORT, 'facts are only added: refunds'); END;
CREATE TRIGGER IF NOT EXISTS refunds_no_delete BEFORE DELETE ON refunds BEGIN SELECT RAISE(ABORT, 'facts are only added: refunds'); END;
CREATE TRIGGER IF NOT EXISTS refunds_no_replace BEFORE INSERT ON refunds WHEN EXISTS (SELECT 1 FROM refunds WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS refund_transactions_no_update BEFORE UPDATE ON refund_transactions BEGIN SELECT RAISE(ABORT, 'facts are only added: refund_transactions'); END;
CREATE TRIGGER IF NOT EXISTS refund_transactions_no_delete BEFORE DELETE ON refund_transactions BEGIN SELECT RAISE(ABORT, 'facts are only added: refund_transactions'); END;
CREATE TRIGGER IF NOT EXISTS refund_transactions_no_replace BEFORE INSERT ON refund_transactions WHEN EXISTS (SELECT 1 FROM refund_transactions WHERE refund_id = NEW.refund_id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS refund_transactions_no_replace_by_transaction_id BEFORE INSERT ON refund_transactions WHEN EXISTS (SELECT 1 FROM refund_transactions WHERE transaction_id = NEW.transaction_id) BEGIN SELECT RAISE(IGNORE); END;

-- All transactions that the processor named, whatever they are for.
CREATE VIEW IF NOT EXISTS transactions (subject_id, credit_id, transaction_id, at) AS
SELECT credit_id, credit_id, transaction_id, at FROM credit_transactions
UNION ALL
SELECT debit_id, credit_id, transaction_id, at FROM debit_transactions
UNION ALL
SELECT refund_id, credit_id, transaction_id, at FROM refund_transactions;
