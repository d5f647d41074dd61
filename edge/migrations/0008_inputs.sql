-- What each decision was asked, and how much it had seen of what is recorded without a turn: names, report rows, refusals,
-- unknown answers and closed exceptions. With it the state can be built anew from the inputs (L10.4). Decisions that were
-- taken before it was recorded have none.
ALTER TABLE decisions ADD COLUMN input TEXT CHECK (input IS NULL OR json_valid(input));
