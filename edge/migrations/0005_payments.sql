-- What was paid elsewhere (L8).

-- Payments that did not come by a debit.
CREATE TABLE IF NOT EXISTS external_payments (
  id TEXT NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  amount INTEGER NOT NULL CHECK (amount > 0),
  received_on TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS external_payments_by_credit ON external_payments (credit_id);

-- Payments that count no more.
CREATE TABLE IF NOT EXISTS external_payment_revocations (
  payment_id TEXT NOT NULL REFERENCES external_payments (id),
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  PRIMARY KEY (payment_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS external_payments_no_update BEFORE UPDATE ON external_payments BEGIN SELECT RAISE(ABORT, 'facts are only added: external_payments'); END;
CREATE TRIGGER IF NOT EXISTS external_payments_no_delete BEFORE DELETE ON external_payments BEGIN SELECT RAISE(ABORT, 'facts are only added: external_payments'); END;
CREATE TRIGGER IF NOT EXISTS external_payments_no_replace BEFORE INSERT ON external_payments WHEN EXISTS (SELECT 1 FROM external_payments WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS external_payment_revocations_no_update BEFORE UPDATE ON external_payment_revocations BEGIN SELECT RAISE(ABORT, 'facts are only added: external_payment_revocations'); END;
CREATE TRIGGER IF NOT EXISTS external_payment_revocations_no_delete BEFORE DELETE ON external_payment_revocations BEGIN SELECT RAISE(ABORT, 'facts are only added: external_payment_revocations'); END;
CREATE TRIGGER IF NOT EXISTS external_payment_revocations_no_replace BEFORE INSERT ON external_payment_revocations WHEN EXISTS (SELECT 1 FROM external_payment_revocations WHERE payment_id = NEW.payment_id) BEGIN SELECT RAISE(IGNORE); END;
