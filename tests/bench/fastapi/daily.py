"""What a team would otherwise write: the daily run as a job of pandas over SQLite. It reads the report, takes its words
into effect, issues what is due and checks that the sums add up. Each step is committed with a full sync. The last line
it prints is how long it took, in seconds, without the start of Python."""

import asyncio
import hashlib
import io
import os
import sqlite3
import sys
import time
import uuid
from datetime import date, timedelta

import aiohttp
import pandas as pd

LEDGER = os.environ["LEDGER"]
PROCESSOR_URL = os.environ["PROCESSOR_URL"]
PROCESSOR_TOKEN = os.environ["PROCESSOR_TOKEN"]
ARCHIVE = os.environ["ARCHIVE"]
FUNDING_ACCOUNT = "paydown_funding"
CONCURRENCY = 6


async def main(as_of: str):
    began = time.perf_counter()
    database = sqlite3.connect(LEDGER, isolation_level=None)
    database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    run = {"id": str(uuid.uuid4()), "as_of": as_of, "date": as_of[:10]}
    (before,) = database.execute("SELECT business_date FROM runs ORDER BY as_of DESC LIMIT 1").fetchone()
    (policy,) = database.execute("SELECT id FROM policies LIMIT 1").fetchone()
    with transaction(database):
        database.execute(
            "INSERT INTO runs (id, business_date, as_of, started_at, missed_days) VALUES (?, ?, ?, ?, '[]')",
            (run["id"], run["date"], as_of, as_of))
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {PROCESSOR_TOKEN}"}) as processor:
        observations = await read(database, processor, run)
        words(database, run, policy, observations)
        await issue(database, processor, run, policy, before)
    check(database, run)
    with transaction(database):
        database.execute(FIGURES, (run["id"], as_of))
        database.execute(
            "INSERT INTO run_closings (run_id, status, reasons, counts, finished_at) VALUES (?, 'complete', '[]', '{}', ?)",
            (run["id"], as_of))
    print(time.perf_counter() - began)


class transaction:
    def __init__(self, database):
        self.database = database

    def __enter__(self):
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind, *_):
        self.database.execute("ROLLBACK" if kind else "COMMIT")


async def read(database, processor, run) -> pd.DataFrame:
    """Archives the report and records what is new in it."""
    async with processor.get(f"{PROCESSOR_URL}/report") as answer:
        report = await answer.read()
    key = f"{run['id']}.csv"
    with open(os.path.join(ARCHIVE, key), "wb") as file:
        file.write(report)
        file.flush()
        os.fsync(file.fileno())
    rows = pd.read_csv(io.BytesIO(report), dtype=str, keep_default_na=False)
    parsed = pd.to_datetime(rows["at"], format="ISO8601", utc=True)
    well_formed = rows["status"].isin(["success", "failure"]) & parsed.notna() & (rows["transaction_id"] != "")
    rows = rows[well_formed].drop_duplicates()
    with transaction(database):
        database.execute(
            "INSERT INTO reports (run_id, object_key, sha256, bytes, whole, window_days, read_at) VALUES (?, ?, ?, ?, 1, 5, ?)",
            (run["id"], key, hashlib.sha256(report).hexdigest(), len(report), run["as_of"]))
        database.executemany(
            "INSERT INTO observations (transaction_id, subject_id, at, status, code, source, run_id, detail)"
            " VALUES (?, '', ?, ?, ?, 'report', ?, '') ON CONFLICT DO NOTHING",
            [(row.transaction_id, row.at, row.status, row.code, run["id"]) for row in rows.itertuples(index=False)])
    return pd.read_sql_query(SAID, database, params=(run["id"],))


def words(database, run, policy, said: pd.DataFrame):
    """Takes the words of the day into effect: what failed goes to the end of the plan."""
    said["decision"] = [str(uuid.uuid4()) for _ in range(len(said))]
    failed = said[said["status"] == "failure"].copy()
    latest = failed["latest"].where(failed["latest"] > run["date"], run["date"])
    failed["due"] = [(date.fromisoformat(day) + timedelta(days=1)).isoformat() for day in latest]
    rule = said["status"].map({"failure": "L4", "success": "L6"})
    with transaction(database):
        database.executemany(DECISIONS, [
            (d, c, int(t), r, policy, run["id"], run["as_of"], '{"input":"words","seen":{"reported":2}}')
            for d, c, t, r in zip(said["decision"], said["credit"], said["turn"], rule)])
        database.executemany(
            "INSERT INTO debits (id, credit_id, sequence, amount, due_date, reason, replaces, decision_id)"
            " VALUES (?, ?, ?, ?, ?, 'failed', ?, ?)",
            [(str(uuid.uuid4()), f.credit, int(f.last) + 1, int(f.amount), f.due, int(f.sequence), f.decision)
             for f in failed.itertuples(index=False)])
        database.executemany(
            "INSERT INTO words (subject_id, turn, credit_id, outcome, code, at, decision_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(s.subject, int(s.turn), s.credit, s.status, s.code or None, s.at, s.decision) for s in said.itertuples(index=False)])


async def issue(database, processor, run, policy, before):
    """Issues what is due: the intents, the calls, their answers."""
    due = pd.read_sql_query(DUE, database, params=(before, run["date"]))
    due["decision"] = [str(uuid.uuid4()) for _ in range(len(due))]
    due["body"] = [
        f'{{"src_bank_account":"{account}","dst_bank_account":"{FUNDING_ACCOUNT}","amount":{amount},'
        f'"direction":"debit","reference":"{debit}"}}'
        for account, amount, debit in zip(due["account"], due["amount"], due["id"])]
    with transaction(database):
        database.executemany(DECISIONS, [
            (d.decision, d.credit, int(d.turn), "L3", policy, run["id"], run["as_of"], '{"input":"issue","seen":{"reported":2}}')
            for d in due.itertuples(index=False)])
        database.executemany(
            "INSERT INTO processed_debits (debit_id, credit_id, body, at, decision_id) VALUES (?, ?, ?, ?, ?)",
            [(d.id, d.credit, d.body, run["as_of"], d.decision) for d in due.itertuples(index=False)])
    waiting, named = iter(due.itertuples(index=False)), []

    async def calls():
        for debit in waiting:
            headers = {"idempotency-key": debit.id, "content-type": "application/json"}
            async with processor.post(f"{PROCESSOR_URL}/transactions", data=debit.body, headers=headers) as answer:
                named.append((debit.id, debit.credit, (await answer.json())["transaction_id"], run["as_of"]))

    await asyncio.gather(*(calls() for _ in range(CONCURRENCY)))
    with transaction(database):
        database.executemany("INSERT INTO debit_transactions VALUES (?, ?, ?, ?)", named)


def check(database, run):
    """Of each credit that was touched: what is paid, in flight and scheduled is what is owed."""
    sums = pd.read_sql_query(SUMS, database, params=(run["id"],))
    owed = sums.groupby("credit").agg(total=("total", "first"), sum=("counted", "sum"))
    if not (owed["total"] == owed["sum"]).all():
        raise SystemExit("the sums do not add up")


SAID = """
SELECT o.status, o.code, o.at, d.id AS subject, d.credit_id AS credit, d.amount, d.sequence,
  (SELECT max(turn) + 1 FROM decisions WHERE credit_id = d.credit_id) AS turn,
  (SELECT max(sequence) FROM debits WHERE credit_id = d.credit_id) AS last,
  (SELECT max(due_date) FROM debits WHERE credit_id = d.credit_id) AS latest
FROM observations o JOIN debit_transactions t ON t.transaction_id = o.transaction_id JOIN debits d ON d.id = t.debit_id
WHERE o.run_id = ?"""

DUE = """
SELECT d.id, d.credit_id AS credit, d.amount, c.account_id AS account,
  (SELECT max(turn) + 1 FROM decisions WHERE credit_id = d.credit_id) AS turn
FROM debits d JOIN credits c ON c.id = d.credit_id
WHERE d.due_date > ? AND d.due_date <= ? AND NOT EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = d.id)
  AND NOT EXISTS (SELECT 1 FROM cancellations WHERE debit_id = d.id)
  AND NOT EXISTS (SELECT 1 FROM holds WHERE credit_id = d.credit_id)"""

DECISIONS = "INSERT INTO decisions (id, credit_id, turn, rule, policy_id, run_id, at, input) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

FIGURES = """
INSERT INTO figures (run_id, as_of, counted_from, zone, decided, created, exceptions, dead_letters, runs_complete,
  runs_incomplete, runs_failed, figures)
SELECT ?, ?, counted_from, zone, decided, created, exceptions, dead_letters, runs_complete + 1, runs_incomplete, runs_failed,
  figures FROM figures ORDER BY as_of DESC LIMIT 1"""

SUMS = """
SELECT c.id AS credit, c.amount + c.fee AS total,
  CASE WHEN EXISTS (SELECT 1 FROM cancellations WHERE debit_id = d.id)
    OR EXISTS (SELECT 1 FROM words WHERE subject_id = d.id AND outcome IN ('failure', 'returned'))
  THEN 0 ELSE d.amount END AS counted
FROM credits c JOIN debits d ON d.credit_id = c.id
WHERE c.id IN (SELECT credit_id FROM decisions WHERE run_id = ?)"""

asyncio.run(main(sys.argv[1]))
