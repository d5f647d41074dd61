-- What was called for again, or may have been: from then on a refusal of the first call proves nothing. The first call may
-- still be under way while another invocation calls, and whichever of the two moved the money, the other may be refused.
CREATE TABLE IF NOT EXISTS later_calls (
  subject_id TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (subject_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS later_calls_no_update BEFORE UPDATE ON later_calls BEGIN SELECT RAISE(ABORT, 'facts are only added: later_calls'); END;
CREATE TRIGGER IF NOT EXISTS later_calls_no_delete BEFORE DELETE ON later_calls BEGIN SELECT RAISE(ABORT, 'facts are only added: later_calls'); END;
CREATE TRIGGER IF NOT EXISTS later_calls_no_replace BEFORE INSERT ON later_calls WHEN EXISTS (SELECT 1 FROM later_calls WHERE subject_id = NEW.subject_id) BEGIN SELECT RAISE(IGNORE); END;
