-- The books of the bank simulator. Rows are only ever added, so what a test reads is what happened.

-- Each POST /clock adds a row; the last one is the bank's time, and without any it is the real time.
CREATE TABLE clock (
    turn INTEGER PRIMARY KEY,
    now TEXT NOT NULL
) STRICT;

-- Instants are UTC with milliseconds and of one width, so that text order is time order.
CREATE VIEW bank_time AS
SELECT coalesce(
    (SELECT now FROM clock ORDER BY turn DESC LIMIT 1),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
) AS now;

-- One row per Idempotency-Key, whatever became of it. `number` counts the account's transactions of that
-- direction in order of creation; `body` is kept whole, because a repeat must be the same byte for byte.
CREATE TABLE transactions (
    sequence INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    transaction_id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    account TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('credit', 'debit')),
    number INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    reference TEXT NOT NULL,
    moved INTEGER NOT NULL CHECK (moved IN (0, 1)),
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX transactions_by_account ON transactions (account, direction);

-- Every call under a key, the first one too.
CREATE TABLE attempts (
    key TEXT NOT NULL REFERENCES transactions (key),
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (key, number)
) STRICT, WITHOUT ROWID;

-- The changes of status. What is set by hand replaces the transaction's story. `appears_at` is `at`, or the
-- moment it was set by hand when that is later.
CREATE TABLE events (
    transaction_id TEXT NOT NULL REFERENCES transactions (transaction_id),
    by_hand INTEGER NOT NULL CHECK (by_hand IN (0, 1)),
    number INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'failure')),
    code TEXT NOT NULL,
    at TEXT NOT NULL,
    appears_at TEXT NOT NULL,
    PRIMARY KEY (transaction_id, by_hand, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_appearance ON events (appears_at, transaction_id, number);
