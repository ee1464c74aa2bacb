#!/bin/sh
# Checks the outbox of a run on the bundled list: `examples/email/check.sh [OUTBOX]`, after
# `cargo run --release --example email` into an outbox that was empty.
set -eu

outbox=${1:-target/outbox}
expected=188 # 200 rows, less 6 malformed and 6 duplicates

fail() {
    echo "check.sh: $1" >&2
    exit 1
}

count() {
    find "$outbox" -type f -name "$1" | wc -l | tr -d ' '
}

[ -d "$outbox" ] || fail "there is no folder $outbox"

mails=$(count '*.eml')
[ "$mails" -eq "$expected" ] || fail "$mails .eml files in $outbox, $expected expected"

others=$(find "$outbox" -mindepth 1 ! -name '*.eml' | wc -l | tr -d ' ')
[ "$others" -eq 0 ] || fail "$others other files in $outbox, such as temporaries"

ids=$(cat "$outbox"/*.eml | grep -i '^Message-ID: ' | sort -u | wc -l | tr -d ' ')
[ "$ids" -eq "$expected" ] || fail "$ids different Message-IDs, $expected expected"

# Each is whole: one closing boundary, the one that its header announces, as its last line.
for mail in "$outbox"/*.eml; do
    boundary=$(tr -d '\r' <"$mail" | sed -n 's/^.*boundary="\([^"]*\)".*$/\1/p' | head -n 1)
    last=$(tr -d '\r' <"$mail" | tail -n 1)
    [ "$last" = "--$boundary--" ] || fail "$mail does not end with its closing boundary"
done

echo "check.sh: $mails whole mails, no temporaries"
