"""A client of Paydown with Python's standard library alone.

    paydown.py advance KEY ACCOUNT AMOUNT            pays an advance out, once, and prints the credit's id
    paydown.py credits ACCOUNT                       prints the ids of all credits of an account
    paydown.py verify SECRET ID TIMESTAMP SIGNATURE  ends with 0 if the body on standard input is a webhook of Paydown's

PAYDOWN_URL and PAYDOWN_KEY say where it serves, and the API key.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ATTEMPTS = 8
TOLERANCE_SECONDS = 300


class Refused(Exception):
    """Paydown will not do it, however often it is asked: an RFC 9457 problem."""


def ask(path, key=None, body=None):
    """The JSON of an answer. Asks again while it is not known whether an earlier attempt arrived."""
    headers = {"Authorization": f"Bearer {os.environ['PAYDOWN_KEY']}", "Content-Type": "application/json"}
    if key is not None:
        headers["Idempotency-Key"] = key
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(ATTEMPTS):
        wait = 2**attempt
        request = urllib.request.Request(os.environ["PAYDOWN_URL"] + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise Refused(error.read().decode()) from error
            wait = int(error.headers.get("Retry-After", wait))
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(wait)
    raise TimeoutError(f"no answer after {ATTEMPTS} attempts; ask again with the same key")


def perform_advance(key, account_id, amount):
    """The credit. One key makes one credit, whatever happens on the way and however often it is asked."""
    return ask("/v1/perform_advance", key, {"account_id": account_id, "amount": amount})


def credits(account_id):
    """All credits of an account, page by page."""
    query = {"account_id": account_id, "limit": 2}
    while True:
        page = ask("/v1/credits?" + urllib.parse.urlencode(query))
        yield from page["data"]
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def is_genuine(secret, headers, body, now=None):
    """Whether a webhook is Paydown's (Standard Webhooks). `body` is what came, byte for byte."""
    sent_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if not timestamp.isdigit() or abs((now or time.time()) - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{sent_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # While a secret is rotated there are several.
    signatures = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(expected, signature.encode()) for signature in signatures)


def main(command, *arguments):
    if command == "advance":
        key, account_id, amount = arguments
        print(perform_advance(key, account_id, int(amount))["id"])
    elif command == "credits":
        for credit in credits(*arguments):
            print(credit["id"])
    elif command == "verify":
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        secret, *values = arguments
        return 0 if is_genuine(secret, dict(zip(names, values)), sys.stdin.buffer.read()) else 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except Refused as refused:
        sys.exit(str(refused))
