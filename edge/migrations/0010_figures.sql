-- The daily figures: what a run found the book to come to, so that nobody sums up its history, and in what order things came
-- that no run's rows tell. What the figures say follows from the other facts; they can be made anew from them.

-- The decisions that no run took, in the order in which they landed: their instants do not tell it.
CREATE TABLE IF NOT EXISTS decided_between_runs (
  number INTEGER NOT NULL,
  credit_id TEXT NOT NULL REFERENCES credits (id),
  turn INTEGER NOT NULL,
  PRIMARY KEY (number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS decisions_between_runs AFTER INSERT ON decisions WHEN NEW.run_id IS NULL BEGIN INSERT INTO decided_between_runs (number, credit_id, turn) SELECT coalesce(max(number), 0) + 1, NEW.credit_id, NEW.turn FROM decided_between_runs; END;

-- The exceptions in the order in which they were opened.
CREATE TABLE IF NOT EXISTS exception_numbers (
  number INTEGER NOT NULL,
  exception_id TEXT NOT NULL REFERENCES exceptions (id),
  PRIMARY KEY (number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS exceptions_numbered AFTER INSERT ON exceptions BEGIN INSERT INTO exception_numbers (number, exception_id) SELECT coalesce(max(number), 0) + 1, NEW.id FROM exception_numbers; END;

-- What the book came to when a run closed, the run's decisions included. Days are counted in `zone`, and summed up since the
-- run `counted_from`, which counted all credits. Up to `decided` and `exceptions` what is numbered above is in the figures;
-- `created` credits are that were created at the run's instant or later.
CREATE TABLE IF NOT EXISTS figures (
  run_id TEXT NOT NULL REFERENCES runs (id),
  as_of TEXT NOT NULL,
  counted_from TEXT NOT NULL,
  zone TEXT NOT NULL,
  decided INTEGER NOT NULL,
  created INTEGER NOT NULL,
  exceptions INTEGER NOT NULL,
  dead_letters INTEGER NOT NULL,
  runs_complete INTEGER NOT NULL,
  runs_incomplete INTEGER NOT NULL,
  runs_failed INTEGER NOT NULL,
  figures TEXT NOT NULL CHECK (json_valid(figures)),
  PRIMARY KEY (run_id),
  UNIQUE (as_of)
) STRICT, WITHOUT ROWID;

-- What was expected and collected on a day, as of each run that changed it.
CREATE TABLE IF NOT EXISTS day_figures (
  counted_from TEXT NOT NULL,
  date TEXT NOT NULL,
  as_of TEXT NOT NULL,
  expected INTEGER NOT NULL,
  collected INTEGER NOT NULL,
  PRIMARY KEY (counted_from, date, as_of)
) STRICT, WITHOUT ROWID;

-- The exceptions that were open when a run closed.
CREATE TABLE IF NOT EXISTS open_exceptions (
  run_id TEXT NOT NULL REFERENCES runs (id),
  exception_id TEXT NOT NULL REFERENCES exceptions (id),
  PRIMARY KEY (run_id, exception_id)
) STRICT, WITHOUT ROWID;

-- The exceptions that are open now: of those that were when the last run closed, and those opened since. Until a run has
-- closed since there are figures, of all.
CREATE VIEW IF NOT EXISTS unresolved (exception_id) AS
SELECT seen.exception_id FROM (
  SELECT o.exception_id FROM (SELECT run_id FROM figures ORDER BY as_of DESC LIMIT 1) AS last
  CROSS JOIN open_exceptions o ON o.run_id = last.run_id
  UNION ALL
  SELECT n.exception_id FROM (SELECT exceptions FROM figures ORDER BY as_of DESC LIMIT 1) AS last
  CROSS JOIN exception_numbers n ON n.number > last.exceptions
  UNION ALL
  SELECT e.id FROM (SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM figures)) AS uncounted CROSS JOIN exceptions e) AS seen
WHERE NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = seen.exception_id);

CREATE TRIGGER IF NOT EXISTS decided_between_runs_no_update BEFORE UPDATE ON decided_between_runs BEGIN SELECT RAISE(ABORT, 'facts are only added: decided_between_runs'); END;
CREATE TRIGGER IF NOT EXISTS decided_between_runs_no_delete BEFORE DELETE ON decided_between_runs BEGIN SELECT RAISE(ABORT, 'facts are only added: decided_between_runs'); END;
CREATE TRIGGER IF NOT EXISTS decided_between_runs_no_replace BEFORE INSERT ON decided_between_runs WHEN EXISTS (SELECT 1 FROM decided_between_runs WHERE number = NEW.number) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS exception_numbers_no_update BEFORE UPDATE ON exception_numbers BEGIN SELECT RAISE(ABORT, 'facts are only added: exception_numbers'); END;
CREATE TRIGGER IF NOT EXISTS exception_numbers_no_delete BEFORE DELETE ON exception_numbers BEGIN SELECT RAISE(ABORT, 'facts are only added: exception_numbers'); END;
CREATE TRIGGER IF NOT EXISTS exception_numbers_no_replace BEFORE INSERT ON exception_numbers WHEN EXISTS (SELECT 1 FROM exception_numbers WHERE number = NEW.number) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS figures_no_update BEFORE UPDATE ON figures BEGIN SELECT RAISE(ABORT, 'facts are only added: figures'); END;
CREATE TRIGGER IF NOT EXISTS figures_no_delete BEFORE DELETE ON figures BEGIN SELECT RAISE(ABORT, 'facts are only added: figures'); END;
CREATE TRIGGER IF NOT EXISTS figures_no_replace BEFORE INSERT ON figures WHEN EXISTS (SELECT 1 FROM figures WHERE run_id = NEW.run_id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS figures_no_replace_by_as_of BEFORE INSERT ON figures WHEN EXISTS (SELECT 1 FROM figures WHERE as_of = NEW.as_of) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS day_figures_no_update BEFORE UPDATE ON day_figures BEGIN SELECT RAISE(ABORT, 'facts are only added: day_figures'); END;
CREATE TRIGGER IF NOT EXISTS day_figures_no_delete BEFORE DELETE ON day_figures BEGIN SELECT RAISE(ABORT, 'facts are only added: day_figures'); END;
CREATE TRIGGER IF NOT EXISTS day_figures_no_replace BEFORE INSERT ON day_figures WHEN EXISTS (SELECT 1 FROM day_figures WHERE counted_from = NEW.counted_from AND date = NEW.date AND as_of = NEW.as_of) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS open_exceptions_no_update BEFORE UPDATE ON open_exceptions BEGIN SELECT RAISE(ABORT, 'facts are only added: open_exceptions'); END;
CREATE TRIGGER IF NOT EXISTS open_exceptions_no_delete BEFORE DELETE ON open_exceptions BEGIN SELECT RAISE(ABORT, 'facts are only added: open_exceptions'); END;
CREATE TRIGGER IF NOT EXISTS open_exceptions_no_replace BEFORE INSERT ON open_exceptions WHEN EXISTS (SELECT 1 FROM open_exceptions WHERE run_id = NEW.run_id AND exception_id = NEW.exception_id) BEGIN SELECT RAISE(IGNORE); END;
