"""What a team would otherwise write: `perform_advance` in FastAPI over SQLite. It checks what Paydown checks, and
commits the intent before it calls and the outcome before it answers, each with a full sync."""

import hashlib
import os
import sqlite3
import time
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Annotated

import aiohttp
from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

LEDGER = os.environ["LEDGER"]
PROCESSOR_URL = os.environ["PROCESSOR_URL"]
PROCESSOR_TOKEN = os.environ["PROCESSOR_TOKEN"]
FUNDING_ACCOUNT = "paydown_funding"
MAX_ADVANCE = 100_000_000


class Advance(BaseModel):
    model_config = ConfigDict(extra="forbid")
    account_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    amount: Annotated[int, Field(ge=1, le=MAX_ADVANCE)]
    fee: Annotated[int, Field(ge=0)] = 0
    currency: Annotated[str, Field(pattern="^USD$")] = "USD"
    installments: Annotated[int, Field(ge=1, le=104)] = 12
    interval_days: Annotated[int, Field(ge=1, le=92)] = 7


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(LEDGER, isolation_level=None, check_same_thread=False)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    return connection


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.database = connect()
    app.state.processor = aiohttp.ClientSession(headers={"authorization": f"Bearer {PROCESSOR_TOKEN}"})
    yield
    await app.state.processor.close()


app = FastAPI(lifespan=lifespan)


@app.post("/v1/perform_advance", status_code=201)
async def perform_advance(
    advance: Advance,
    response: Response,
    authorization: Annotated[str, Header()],
    idempotency_key: Annotated[str, Header(min_length=1, max_length=255)],
):
    if advance.fee > advance.amount or advance.amount + advance.fee < advance.installments:
        raise HTTPException(422, "invalid_request")
    fingerprint = hashlib.sha256(advance.model_dump_json().encode()).hexdigest()
    credit = record(advance, authorization, idempotency_key, fingerprint)
    if credit["is_new"]:
        transaction = await perform(credit["id"], credit["body"])
        database = app.state.database
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO credit_transactions VALUES (?, ?, ?)", (credit["id"], transaction, now()))
        database.execute("COMMIT")
        credit["transaction_id"] = transaction
    else:
        response.headers["idempotent-replayed"] = "true"
    response.headers["location"] = f"/v1/credits/{credit['id']}"
    return shown(advance, credit)


def record(advance: Advance, authorization: str, idempotency_key: str, fingerprint: str) -> dict:
    """The intent, with authentication and idempotency, in one transaction."""
    database = app.state.database
    key_hash = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    database.execute("BEGIN IMMEDIATE")
    try:
        key = database.execute(
            "SELECT id FROM api_keys k WHERE hash = ? AND NOT EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id)"
            " AND EXISTS (SELECT 1 FROM json_each(k.scopes) WHERE value = 'advance')",
            (key_hash,),
        ).fetchone()
        if key is None:
            raise HTTPException(401, "unauthorized")
        earlier = database.execute(
            "SELECT r.fingerprint, c.id, c.created_at, t.transaction_id FROM requests r JOIN credits c ON c.id = r.credit_id"
            " LEFT JOIN credit_transactions t ON t.credit_id = c.id WHERE r.idempotency_key = ?",
            (idempotency_key,),
        ).fetchone()
        if earlier:
            if earlier[0] != fingerprint:
                raise HTTPException(422, "idempotency_key_reused")
            return {"id": earlier[1], "created_at": earlier[2], "transaction_id": earlier[3], "is_new": False}
        if database.execute(HELD, (advance.account_id,)).fetchone():
            raise HTTPException(422, "account_held")
        stop = database.execute("SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1").fetchone()
        if stop == ("stop",):
            raise HTTPException(503, "stopped")
        credit_id, at = str(uuid.uuid4()), now()
        body = (
            f'{{"src_bank_account":"{FUNDING_ACCOUNT}","dst_bank_account":"{advance.account_id}",'
            f'"amount":{advance.amount},"direction":"credit","reference":"{credit_id}"}}'
        )
        database.execute(
            "INSERT INTO credits (id, account_id, amount, fee, currency, installments, interval_days, body, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (credit_id, advance.account_id, advance.amount, advance.fee, advance.currency, advance.installments,
             advance.interval_days, body, at),
        )
        database.execute(
            "INSERT INTO requests (idempotency_key, fingerprint, credit_id, api_key_id, request_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (idempotency_key, fingerprint, credit_id, key[0], str(uuid.uuid4()), at),
        )
        return {"id": credit_id, "created_at": at, "body": body, "is_new": True}
    finally:
        # What was refused wrote nothing.
        database.execute("COMMIT")


async def perform(key: str, body: str) -> str:
    headers = {"idempotency-key": key, "content-type": "application/json"}
    async with app.state.processor.post(f"{PROCESSOR_URL}/transactions", data=body, headers=headers) as answer:
        return (await answer.json())["transaction_id"]


def shown(advance: Advance, credit: dict) -> dict:
    return {
        "id": credit["id"], **advance.model_dump(), "status": "pending", "created_at": credit["created_at"],
        "transaction_id": credit["transaction_id"], "confirmed_at": None, "collected": 0, "paid": 0, "in_flight": 0,
        "scheduled": 0, "missing": 0, "outstanding": 0, "next_due_date": None,
    }


def now() -> str:
    return datetime.fromtimestamp(time.time(), timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


HELD = """
SELECT 1 FROM credits c JOIN holds h ON h.credit_id = c.id JOIN exceptions e ON e.id = h.exception_id
WHERE c.account_id = ? AND e.kind = 'hard_return'
  AND NOT EXISTS (SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id)"""
