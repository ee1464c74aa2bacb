#!/usr/bin/env bash
# ThreadSanitizer over channels and broadcast, on real threads. Needs a nightly toolchain. Three planted races come first: each must
# be reported, or the sanitizer sees nothing. No suppressions: what is correct is not reported (see `src/sync/tsan`).
#
#   bash tsan-tests/run.sh [messages in all, 400,000 unless said]
set -euo pipefail
cd "$(dirname "$0")/.."
messages=${1:-400000}
target=x86_64-unknown-linux-gnu
export CARGO_INCREMENTAL=0 TSAN_OPTIONS="halt_on_error=1 exitcode=66"
RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" \
    cargo +nightly build --locked --release -p tsan-tests --target "$target" --target-dir target/tsan
program=target/tsan/$target/release/tsan
for race in publish slot drop; do
    status=0
    output=$(timeout 60 "$program" planted "$race" 2>&1) || status=$?
    if [ "$status" -ne 66 ] || ! grep -q 'ThreadSanitizer: data race' <<<"$output"; then
        echo "$output"
        echo "the planted race \"$race\" was not reported (status $status)"
        exit 1
    fi
    echo "planted race \"$race\": reported"
done
"$program" channels $((messages / 2))
"$program" broadcast $((messages / 2))
echo "no report"
