-- Facts are only added: updates and deletes are refused, and an insert that would take a fact's place
-- leaves the fact as it was.

CREATE TRIGGER IF NOT EXISTS api_keys_no_update BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(ABORT, 'facts are only added: api_keys'); END;
CREATE TRIGGER IF NOT EXISTS api_keys_no_delete BEFORE DELETE ON api_keys BEGIN SELECT RAISE(ABORT, 'facts are only added: api_keys'); END;
CREATE TRIGGER IF NOT EXISTS api_keys_no_replace BEFORE INSERT ON api_keys WHEN EXISTS (SELECT 1 FROM api_keys WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS api_keys_no_replace_by_hash BEFORE INSERT ON api_keys WHEN EXISTS (SELECT 1 FROM api_keys WHERE hash = NEW.hash) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS api_key_revocations_no_update BEFORE UPDATE ON api_key_revocations BEGIN SELECT RAISE(ABORT, 'facts are only added: api_key_revocations'); END;
CREATE TRIGGER IF NOT EXISTS api_key_revocations_no_delete BEFORE DELETE ON api_key_revocations BEGIN SELECT RAISE(ABORT, 'facts are only added: api_key_revocations'); END;
CREATE TRIGGER IF NOT EXISTS api_key_revocations_no_replace BEFORE INSERT ON api_key_revocations WHEN EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = NEW.api_key_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS policies_no_update BEFORE UPDATE ON policies BEGIN SELECT RAISE(ABORT, 'facts are only added: policies'); END;
CREATE TRIGGER IF NOT EXISTS policies_no_delete BEFORE DELETE ON policies BEGIN SELECT RAISE(ABORT, 'facts are only added: policies'); END;
CREATE TRIGGER IF NOT EXISTS policies_no_replace BEFORE INSERT ON policies WHEN EXISTS (SELECT 1 FROM policies WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS stops_no_update BEFORE UPDATE ON stops BEGIN SELECT RAISE(ABORT, 'facts are only added: stops'); END;
CREATE TRIGGER IF NOT EXISTS stops_no_delete BEFORE DELETE ON stops BEGIN SELECT RAISE(ABORT, 'facts are only added: stops'); END;
CREATE TRIGGER IF NOT EXISTS stops_no_replace BEFORE INSERT ON stops WHEN EXISTS (SELECT 1 FROM stops WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS credits_no_update BEFORE UPDATE ON credits BEGIN SELECT RAISE(ABORT, 'facts are only added: credits'); END;
CREATE TRIGGER IF NOT EXISTS credits_no_delete BEFORE DELETE ON credits BEGIN SELECT RAISE(ABORT, 'facts are only added: credits'); END;
CREATE TRIGGER IF NOT EXISTS credits_no_replace BEFORE INSERT ON credits WHEN EXISTS (SELECT 1 FROM credits WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS requests_no_update BEFORE UPDATE ON requests BEGIN SELECT RAISE(ABORT, 'facts are only added: requests'); END;
CREATE TRIGGER IF NOT EXISTS requests_no_delete BEFORE DELETE ON requests BEGIN SELECT RAISE(ABORT, 'facts are only added: requests'); END;
CREATE TRIGGER IF NOT EXISTS requests_no_replace BEFORE INSERT ON requests WHEN EXISTS (SELECT 1 FROM requests WHERE idempotency_key = NEW.idempotency_key) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS requests_no_replace_by_credit_id BEFORE INSERT ON requests WHEN EXISTS (SELECT 1 FROM requests WHERE credit_id = NEW.credit_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS credit_transactions_no_update BEFORE UPDATE ON credit_transactions BEGIN SELECT RAISE(ABORT, 'facts are only added: credit_transactions'); END;
CREATE TRIGGER IF NOT EXISTS credit_transactions_no_delete BEFORE DELETE ON credit_transactions BEGIN SELECT RAISE(ABORT, 'facts are only added: credit_transactions'); END;
CREATE TRIGGER IF NOT EXISTS credit_transactions_no_replace BEFORE INSERT ON credit_transactions WHEN EXISTS (SELECT 1 FROM credit_transactions WHERE credit_id = NEW.credit_id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS credit_transactions_no_replace_by_transaction_id BEFORE INSERT ON credit_transactions WHEN EXISTS (SELECT 1 FROM credit_transactions WHERE transaction_id = NEW.transaction_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS runs_no_update BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'facts are only added: runs'); END;
CREATE TRIGGER IF NOT EXISTS runs_no_delete BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'facts are only added: runs'); END;
CREATE TRIGGER IF NOT EXISTS runs_no_replace BEFORE INSERT ON runs WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS runs_no_replace_by_as_of BEFORE INSERT ON runs WHEN EXISTS (SELECT 1 FROM runs WHERE as_of = NEW.as_of) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS run_stages_no_update BEFORE UPDATE ON run_stages BEGIN SELECT RAISE(ABORT, 'facts are only added: run_stages'); END;
CREATE TRIGGER IF NOT EXISTS run_stages_no_delete BEFORE DELETE ON run_stages BEGIN SELECT RAISE(ABORT, 'facts are only added: run_stages'); END;
CREATE TRIGGER IF NOT EXISTS run_stages_no_replace BEFORE INSERT ON run_stages WHEN EXISTS (SELECT 1 FROM run_stages WHERE run_id = NEW.run_id AND stage = NEW.stage AND slice = NEW.slice) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS run_closings_no_update BEFORE UPDATE ON run_closings BEGIN SELECT RAISE(ABORT, 'facts are only added: run_closings'); END;
CREATE TRIGGER IF NOT EXISTS run_closings_no_delete BEFORE DELETE ON run_closings BEGIN SELECT RAISE(ABORT, 'facts are only added: run_closings'); END;
CREATE TRIGGER IF NOT EXISTS run_closings_no_replace BEFORE INSERT ON run_closings WHEN EXISTS (SELECT 1 FROM run_closings WHERE run_id = NEW.run_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS reports_no_update BEFORE UPDATE ON reports BEGIN SELECT RAISE(ABORT, 'facts are only added: reports'); END;
CREATE TRIGGER IF NOT EXISTS reports_no_delete BEFORE DELETE ON reports BEGIN SELECT RAISE(ABORT, 'facts are only added: reports'); END;
CREATE TRIGGER IF NOT EXISTS reports_no_replace BEFORE INSERT ON reports WHEN EXISTS (SELECT 1 FROM reports WHERE run_id = NEW.run_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS decisions_no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'facts are only added: decisions'); END;
CREATE TRIGGER IF NOT EXISTS decisions_no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'facts are only added: decisions'); END;
CREATE TRIGGER IF NOT EXISTS decisions_no_replace BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS decisions_no_replace_by_credit_id_and_turn BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE credit_id = NEW.credit_id AND turn = NEW.turn) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS debits_no_update BEFORE UPDATE ON debits BEGIN SELECT RAISE(ABORT, 'facts are only added: debits'); END;
CREATE TRIGGER IF NOT EXISTS debits_no_delete BEFORE DELETE ON debits BEGIN SELECT RAISE(ABORT, 'facts are only added: debits'); END;
CREATE TRIGGER IF NOT EXISTS debits_no_replace BEFORE INSERT ON debits WHEN EXISTS (SELECT 1 FROM debits WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS debits_no_replace_by_credit_id_and_sequence BEFORE INSERT ON debits WHEN EXISTS (SELECT 1 FROM debits WHERE credit_id = NEW.credit_id AND sequence = NEW.sequence) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS processed_debits_no_update BEFORE UPDATE ON processed_debits BEGIN SELECT RAISE(ABORT, 'facts are only added: processed_debits'); END;
CREATE TRIGGER IF NOT EXISTS processed_debits_no_delete BEFORE DELETE ON processed_debits BEGIN SELECT RAISE(ABORT, 'facts are only added: processed_debits'); END;
CREATE TRIGGER IF NOT EXISTS processed_debits_no_replace BEFORE INSERT ON processed_debits WHEN EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = NEW.debit_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS debit_transactions_no_update BEFORE UPDATE ON debit_transactions BEGIN SELECT RAISE(ABORT, 'facts are only added: debit_transactions'); END;
CREATE TRIGGER IF NOT EXISTS debit_transactions_no_delete BEFORE DELETE ON debit_transactions BEGIN SELECT RAISE(ABORT, 'facts are only added: debit_transactions'); END;
CREATE TRIGGER IF NOT EXISTS debit_transactions_no_replace BEFORE INSERT ON debit_transactions WHEN EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = NEW.debit_id) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER IF NOT EXISTS debit_transactions_no_replace_by_transaction_id BEFORE INSERT ON debit_transactions WHEN EXISTS (SELECT 1 FROM debit_transactions WHERE transaction_id = NEW.transaction_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS unknown_answers_no_update BEFORE UPDATE ON unknown_answers BEGIN SELECT RAISE(ABORT, 'facts are only added: unknown_answers'); END;
CREATE TRIGGER IF NOT EXISTS unknown_answers_no_delete BEFORE DELETE ON unknown_answers BEGIN SELECT RAISE(ABORT, 'facts are only added: unknown_answers'); END;
CREATE TRIGGER IF NOT EXISTS unknown_answers_no_replace BEFORE INSERT ON unknown_answers WHEN EXISTS (SELECT 1 FROM unknown_answers WHERE subject_id = NEW.subject_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS observations_no_update BEFORE UPDATE ON observations BEGIN SELECT RAISE(ABORT, 'facts are only added: observations'); END;
CREATE TRIGGER IF NOT EXISTS observations_no_delete BEFORE DELETE ON observations BEGIN SELECT RAISE(ABORT, 'facts are only added: observations'); END;
CREATE TRIGGER IF NOT EXISTS observations_no_replace BEFORE INSERT ON observations WHEN EXISTS (SELECT 1 FROM observations WHERE transaction_id = NEW.transaction_id AND subject_id = NEW.subject_id AND at = NEW.at AND status = NEW.status AND code = NEW.code) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS malformed_rows_no_update BEFORE UPDATE ON malformed_rows BEGIN SELECT RAISE(ABORT, 'facts are only added: malformed_rows'); END;
CREATE TRIGGER IF NOT EXISTS malformed_rows_no_delete BEFORE DELETE ON malformed_rows BEGIN SELECT RAISE(ABORT, 'facts are only added: malformed_rows'); END;
CREATE TRIGGER IF NOT EXISTS malformed_rows_no_replace BEFORE INSERT ON malformed_rows WHEN EXISTS (SELECT 1 FROM malformed_rows WHERE run_id = NEW.run_id AND line = NEW.line) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS words_no_update BEFORE UPDATE ON words BEGIN SELECT RAISE(ABORT, 'facts are only added: words'); END;
CREATE TRIGGER IF NOT EXISTS words_no_delete BEFORE DELETE ON words BEGIN SELECT RAISE(ABORT, 'facts are only added: words'); END;
CREATE TRIGGER IF NOT EXISTS words_no_replace BEFORE INSERT ON words WHEN EXISTS (SELECT 1 FROM words WHERE subject_id = NEW.subject_id AND turn = NEW.turn) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS timeouts_no_update BEFORE UPDATE ON timeouts BEGIN SELECT RAISE(ABORT, 'facts are only added: timeouts'); END;
CREATE TRIGGER IF NOT EXISTS timeouts_no_delete BEFORE DELETE ON timeouts BEGIN SELECT RAISE(ABORT, 'facts are only added: timeouts'); END;
CREATE TRIGGER IF NOT EXISTS timeouts_no_replace BEFORE INSERT ON timeouts WHEN EXISTS (SELECT 1 FROM timeouts WHERE subject_id = NEW.subject_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS cancellations_no_update BEFORE UPDATE ON cancellations BEGIN SELECT RAISE(ABORT, 'facts are only added: cancellations'); END;
CREATE TRIGGER IF NOT EXISTS cancellations_no_delete BEFORE DELETE ON cancellations BEGIN SELECT RAISE(ABORT, 'facts are only added: cancellations'); END;
CREATE TRIGGER IF NOT EXISTS cancellations_no_replace BEFORE INSERT ON cancellations WHEN EXISTS (SELECT 1 FROM cancellations WHERE debit_id = NEW.debit_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS exceptions_no_update BEFORE UPDATE ON exceptions BEGIN SELECT RAISE(ABORT, 'facts are only added: exceptions'); END;
CREATE TRIGGER IF NOT EXISTS exceptions_no_delete BEFORE DELETE ON exceptions BEGIN SELECT RAISE(ABORT, 'facts are only added: exceptions'); END;
CREATE TRIGGER IF NOT EXISTS exceptions_no_replace BEFORE INSERT ON exceptions WHEN EXISTS (SELECT 1 FROM exceptions WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS resolutions_no_update BEFORE UPDATE ON resolutions BEGIN SELECT RAISE(ABORT, 'facts are only added: resolutions'); END;
CREATE TRIGGER IF NOT EXISTS resolutions_no_delete BEFORE DELETE ON resolutions BEGIN SELECT RAISE(ABORT, 'facts are only added: resolutions'); END;
CREATE TRIGGER IF NOT EXISTS resolutions_no_replace BEFORE INSERT ON resolutions WHEN EXISTS (SELECT 1 FROM resolutions WHERE exception_id = NEW.exception_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS holds_no_update BEFORE UPDATE ON holds BEGIN SELECT RAISE(ABORT, 'facts are only added: holds'); END;
CREATE TRIGGER IF NOT EXISTS holds_no_delete BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'facts are only added: holds'); END;
CREATE TRIGGER IF NOT EXISTS holds_no_replace BEFORE INSERT ON holds WHEN EXISTS (SELECT 1 FROM holds WHERE credit_id = NEW.credit_id AND exception_id = NEW.exception_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS releases_no_update BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'facts are only added: releases'); END;
CREATE TRIGGER IF NOT EXISTS releases_no_delete BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'facts are only added: releases'); END;
CREATE TRIGGER IF NOT EXISTS releases_no_replace BEFORE INSERT ON releases WHEN EXISTS (SELECT 1 FROM releases WHERE credit_id = NEW.credit_id AND exception_id = NEW.exception_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS write_offs_no_update BEFORE UPDATE ON write_offs BEGIN SELECT RAISE(ABORT, 'facts are only added: write_offs'); END;
CREATE TRIGGER IF NOT EXISTS write_offs_no_delete BEFORE DELETE ON write_offs BEGIN SELECT RAISE(ABORT, 'facts are only added: write_offs'); END;
CREATE TRIGGER IF NOT EXISTS write_offs_no_replace BEFORE INSERT ON write_offs WHEN EXISTS (SELECT 1 FROM write_offs WHERE credit_id = NEW.credit_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS carried_over_no_update BEFORE UPDATE ON carried_over BEGIN SELECT RAISE(ABORT, 'facts are only added: carried_over'); END;
CREATE TRIGGER IF NOT EXISTS carried_over_no_delete BEFORE DELETE ON carried_over BEGIN SELECT RAISE(ABORT, 'facts are only added: carried_over'); END;
CREATE TRIGGER IF NOT EXISTS carried_over_no_replace BEFORE INSERT ON carried_over WHEN EXISTS (SELECT 1 FROM carried_over WHERE run_id = NEW.run_id AND kind = NEW.kind AND credit_id = NEW.credit_id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS dead_letters_no_update BEFORE UPDATE ON dead_letters BEGIN SELECT RAISE(ABORT, 'facts are only added: dead_letters'); END;
CREATE TRIGGER IF NOT EXISTS dead_letters_no_delete BEFORE DELETE ON dead_letters BEGIN SELECT RAISE(ABORT, 'facts are only added: dead_letters'); END;
CREATE TRIGGER IF NOT EXISTS dead_letters_no_replace BEFORE INSERT ON dead_letters WHEN EXISTS (SELECT 1 FROM dead_letters WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS sandbox_clock_no_update BEFORE UPDATE ON sandbox_clock BEGIN SELECT RAISE(ABORT, 'facts are only added: sandbox_clock'); END;
CREATE TRIGGER IF NOT EXISTS sandbox_clock_no_delete BEFORE DELETE ON sandbox_clock BEGIN SELECT RAISE(ABORT, 'facts are only added: sandbox_clock'); END;
CREATE TRIGGER IF NOT EXISTS sandbox_clock_no_replace BEFORE INSERT ON sandbox_clock WHEN EXISTS (SELECT 1 FROM sandbox_clock WHERE set_at = NEW.set_at AND now = NEW.now) BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER IF NOT EXISTS first_calls_no_update BEFORE UPDATE ON first_calls BEGIN SELECT RAISE(ABORT, 'facts are only added: first_calls'); END;
CREATE TRIGGER IF NOT EXISTS first_calls_no_delete BEFORE DELETE ON first_calls BEGIN SELECT RAISE(ABORT, 'facts are only added: first_calls'); END;
CREATE TRIGGER IF NOT EXISTS first_calls_no_replace BEFORE INSERT ON first_calls WHEN EXISTS (SELECT 1 FROM first_calls WHERE subject_id = NEW.subject_id) BEGIN SELECT RAISE(IGNORE); END;
