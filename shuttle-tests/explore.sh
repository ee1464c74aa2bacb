#!/usr/bin/env bash
# A long exploration: every model so many times more often than in CI, from another seed each time. The sum is printed.
#
#   bash shuttle-tests/explore.sh [factor, 50 unless said] [seed] [test filter]
set -euo pipefail
cd "$(dirname "$0")/.."
factor=${1:-50} seed=${2:-$(date +%s)} filter=${3:-}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "factor $factor, seed $seed"
SHUTTLE_FACTOR=$factor SHUTTLE_SEED=$seed CARGO_INCREMENTAL=0 \
    cargo test --locked -p shuttle-tests --release --test models -- --nocapture $filter 2>&1 | tee "$log" | grep -E '^model |^test result|panicked' || true
grep -q '^test result: ok' "$log" || { cat "$log"; exit 1; }
grep -ohE '^model [^:]*: [0-9]+ schedules' "$log" | awk '{ sum += $(NF - 1) } END { print sum " schedules in " NR " models" }'
