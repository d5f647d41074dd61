#!/bin/sh
# A client of Paydown with curl alone.
#
#   paydown.sh advance KEY ACCOUNT AMOUNT            pays an advance out, once, and prints the credit's id
#   paydown.sh credits ACCOUNT                       prints the ids of all credits of an account
#   paydown.sh verify SECRET ID TIMESTAMP SIGNATURE  ends with 0 if the body on standard input is a webhook of Paydown's
#
# PAYDOWN_URL and PAYDOWN_KEY say where it serves, and the API key.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Whatever happens on the way, the same key makes one credit: curl asks again after a lost connection, 429 and 5xx, and
# waits as Retry-After says. A 4xx is final.
advance() {
  body=$(printf '{"account_id": "%s", "amount": %d}' "$2" "$3")
  status=$(curl --silent --show-error --max-time 30 --retry 8 --retry-all-errors --output "$folder/answer" \
    --write-out '%{http_code}' --header "Authorization: Bearer $PAYDOWN_KEY" --header "Content-Type: application/json" \
    --header "Idempotency-Key: $1" --data "$body" "$PAYDOWN_URL/v1/perform_advance")
  case $status in
    201 | 202) sed -n 's/^{"id":"\([^"]*\)".*/\1/p' "$folder/answer" ;;
    *) cat "$folder/answer" >&2; return 1 ;;
  esac
}

# As CSV a list needs no parser: its first column is the id, and the next page is in the header Link.
credits() {
  page="/v1/credits?account_id=$1&limit=2"
  while [ -n "$page" ]; do
    curl --silent --show-error --fail --max-time 30 --retry 8 --output "$folder/page" --dump-header "$folder/headers" \
      --header "Authorization: Bearer $PAYDOWN_KEY" --header "Accept: text/csv" "$PAYDOWN_URL$page"
    sed '1d; s/,.*//' "$folder/page"
    page=$(tr -d '\r' < "$folder/headers" | sed -n 's/^[Ll]ink: <\([^>]*\)>; rel="next"$/\1/p')
  done
}

# Standard Webhooks: the signature is over id, timestamp and the body as it came, byte for byte.
verify() {
  age=$(($(date +%s) - $3))
  [ "$age" -le 300 ] && [ "$age" -ge -300 ] || { echo "too old, or of the future" >&2; return 1; }
  secret=$(printf '%s' "${1#whsec_}" | base64 -d | od -An -tx1 | tr -d ' \n')
  expected=$({ printf '%s.%s.' "$2" "$3"; cat; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$secret" -binary | base64)
  # While a secret is rotated there are several. Hashes are compared, so that how long it takes tells nothing.
  for signature in $4; do
    if [ "$(printf '%s' "$signature" | sha256sum)" = "$(printf 'v1,%s' "$expected" | sha256sum)" ]; then return 0; fi
  done
  echo "no signature of this secret" >&2
  return 1
}

command=$1
shift
"$command" "$@"
