-- What operators do, and how they are known at the dashboard.

-- What operators did, by the idempotency key of the request.
CREATE TABLE IF NOT EXISTS operations (
  idempotency_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  note TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (id),
  at TEXT NOT NULL,
  PRIMARY KEY (idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS operations_by_credit ON operations (credit_id);

-- The dashboard's logins. Only a hash of the token is kept.
CREATE TABLE IF NOT EXISTS sessions (
  token_hash TEXT NOT NULL,
  api_key_id TEXT NOT NULL REFERENCES api_keys (id),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (token_hash)
) STRICT, WITHOUT ROWID;

-- Logouts.
CREATE TABLE IF NOT EXISTS session_ends (
  token_hash TEXT NOT NULL REFERENCES sessions (token_hash),
  ended_at TEXT NOT NULL,
  PRIMARY KEY (token_hash)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS operations_no_update BEFORE UPDATE ON operations BEGIN SELECT RAISE(ABORT, 'facts are only added: operations'); END;
CREATE TRIGGER IF NOT EXISTS operations_no_delete BEFORE DELETE ON operations BEGIN SELECT RAISE(ABORT, 'facts are only added: operations'); END;
CREATE TRIGGER IF NOT EXISTS operations_no_replace BEFORE INSERT ON operations WHEN EXISTS (SELECT 1 FROM operations WHERE idempotency_key = NEW.idempotency_key) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS sessions_no_update BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'facts are only added: sessions'); END;
CREATE TRIGGER IF NOT EXISTS sessions_no_delete BEFORE DELETE ON sessions BEGIN SELECT RAISE(ABORT, 'facts are only added: sessions'); END;
CREATE TRIGGER IF NOT EXISTS sessions_no_replace BEFORE INSERT ON sessions WHEN EXISTS (SELECT 1 FROM sessions WHERE token_hash = NEW.token_hash) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS session_ends_no_update BEFORE UPDATE ON session_ends BEGIN SELECT RAISE(ABORT, 'facts are only added: session_ends'); END;
CREATE TRIGGER IF NOT EXISTS session_ends_no_delete BEFORE DELETE ON session_ends BEGIN SELECT RAISE(ABORT, 'facts are only added: session_ends'); END;
CREATE TRIGGER IF NOT EXISTS session_ends_no_replace BEFORE INSERT ON session_ends WHEN EXISTS (SELECT 1 FROM session_ends WHERE token_hash = NEW.token_hash) BEGIN SELECT RAISE(IGNORE); END;
