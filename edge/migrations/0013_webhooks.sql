-- Webhooks: where events are sent, and how far.

-- The endpoints as they were from an instant on; the latest version is how one stands. The secret is kept as it is, because
-- what is sent is signed with it. `why` says why we paused it ourselves.
CREATE TABLE IF NOT EXISTS webhook_endpoints (
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  url TEXT NOT NULL,
  event_types TEXT NOT NULL CHECK (json_valid(event_types)),
  label TEXT NOT NULL,
  secret TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'removed')),
  actor TEXT NOT NULL,
  why TEXT,
  at TEXT NOT NULL,
  PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- How far each endpoint was told. The latest turn is all of it: each event up to `up_to` was taken by the endpoint or is not
-- wanted, but for those that `lagging` names. `pass_id` is whose turn it is: of two passes at once one takes it.
CREATE TABLE IF NOT EXISTS webhook_turns (
  endpoint_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  pass_id TEXT NOT NULL,
  up_to INTEGER NOT NULL,
  lagging TEXT NOT NULL CHECK (json_valid(lagging)),
  failures INTEGER NOT NULL,
  failing_since TEXT,
  due_at TEXT,
  at TEXT NOT NULL,
  PRIMARY KEY (endpoint_id, turn)
) STRICT, WITHOUT ROWID;

-- The log: each sending, taken or not.
CREATE TABLE IF NOT EXISTS webhook_attempts (
  endpoint_id TEXT NOT NULL,
  at TEXT NOT NULL,
  event_number INTEGER NOT NULL,
  pass_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  status INTEGER,
  why TEXT,
  milliseconds INTEGER NOT NULL,
  next_attempt_at TEXT,
  resent_by TEXT,
  PRIMARY KEY (endpoint_id, at, event_number, pass_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS webhook_endpoints_no_update BEFORE UPDATE ON webhook_endpoints BEGIN SELECT RAISE(ABORT, 'facts are only added: webhook_endpoints'); END;
CREATE TRIGGER IF NOT EXISTS webhook_endpoints_no_delete BEFORE DELETE ON webhook_endpoints BEGIN SELECT RAISE(ABORT, 'facts are only added: webhook_endpoints'); END;
CREATE TRIGGER IF NOT EXISTS webhook_endpoints_no_replace BEFORE INSERT ON webhook_endpoints WHEN EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS webhook_turns_no_update BEFORE UPDATE ON webhook_turns BEGIN SELECT RAISE(ABORT, 'facts are only added: webhook_turns'); END;
CREATE TRIGGER IF NOT EXISTS webhook_turns_no_delete BEFORE DELETE ON webhook_turns BEGIN SELECT RAISE(ABORT, 'facts are only added: webhook_turns'); END;
CREATE TRIGGER IF NOT EXISTS webhook_turns_no_replace BEFORE INSERT ON webhook_turns WHEN EXISTS (SELECT 1 FROM webhook_turns WHERE endpoint_id = NEW.endpoint_id AND turn = NEW.turn) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS webhook_attempts_no_update BEFORE UPDATE ON webhook_attempts BEGIN SELECT RAISE(ABORT, 'facts are only added: webhook_attempts'); END;
CREATE TRIGGER IF NOT EXISTS webhook_attempts_no_delete BEFORE DELETE ON webhook_attempts BEGIN SELECT RAISE(ABORT, 'facts are only added: webhook_attempts'); END;
CREATE TRIGGER IF NOT EXISTS webhook_attempts_no_replace BEFORE INSERT ON webhook_attempts WHEN EXISTS (SELECT 1 FROM webhook_attempts WHERE endpoint_id = NEW.endpoint_id AND at = NEW.at AND event_number = NEW.event_number AND pass_id = NEW.pass_id) BEGIN SELECT RAISE(IGNORE); END;
