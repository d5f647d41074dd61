-- The parts of a stage that is more than one invocation's work. Each has the credits behind `start` and up to `until`, or the
-- lines of the report that begin from byte `start` to byte `until`. How far it got, the rows of run_stages say whose stage is
-- `<stage>/<part>`. The invocation that divided the stage sends the parts their messages.
CREATE TABLE IF NOT EXISTS run_parts (
  run_id TEXT NOT NULL REFERENCES runs (id),
  stage TEXT NOT NULL,
  part INTEGER NOT NULL,
  start TEXT NOT NULL,
  until TEXT NOT NULL,
  divided_by TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (run_id, stage, part)
) STRICT, WITHOUT ROWID;

-- Where the parts of a large report begin: each a byte, and how many lines begin before it.
ALTER TABLE reports ADD COLUMN parts TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(parts));

CREATE TRIGGER IF NOT EXISTS run_parts_no_update BEFORE UPDATE ON run_parts BEGIN SELECT RAISE(ABORT, 'facts are only added: run_parts'); END;
CREATE TRIGGER IF NOT EXISTS run_parts_no_delete BEFORE DELETE ON run_parts BEGIN SELECT RAISE(ABORT, 'facts are only added: run_parts'); END;
CREATE TRIGGER IF NOT EXISTS run_parts_no_replace BEFORE INSERT ON run_parts WHEN EXISTS (SELECT 1 FROM run_parts WHERE run_id = NEW.run_id AND stage = NEW.stage AND part = NEW.part) BEGIN SELECT RAISE(IGNORE); END;
