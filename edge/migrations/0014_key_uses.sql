-- The days, in UTC, on which each key was used: the last of them is its last use.
CREATE TABLE IF NOT EXISTS api_key_uses (
  api_key_id TEXT NOT NULL,
  used_on TEXT NOT NULL,
  PRIMARY KEY (api_key_id, used_on)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS api_key_uses_of_requests AFTER INSERT ON requests WHEN NOT EXISTS (SELECT 1 FROM api_key_uses WHERE api_key_id = NEW.api_key_id AND used_on = substr(NEW.created_at, 1, 10)) BEGIN INSERT INTO api_key_uses (api_key_id, used_on) VALUES (NEW.api_key_id, substr(NEW.created_at, 1, 10)); END;

CREATE TRIGGER IF NOT EXISTS api_key_uses_no_update BEFORE UPDATE ON api_key_uses BEGIN SELECT RAISE(ABORT, 'facts are only added: api_key_uses'); END;
CREATE TRIGGER IF NOT EXISTS api_key_uses_no_delete BEFORE DELETE ON api_key_uses BEGIN SELECT RAISE(ABORT, 'facts are only added: api_key_uses'); END;
CREATE TRIGGER IF NOT EXISTS api_key_uses_no_replace BEFORE INSERT ON api_key_uses WHEN EXISTS (SELECT 1 FROM api_key_uses WHERE api_key_id = NEW.api_key_id AND used_on = NEW.used_on) BEGIN SELECT RAISE(IGNORE); END;
