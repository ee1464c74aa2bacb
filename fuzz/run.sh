#!/usr/bin/env bash
# Runs each fuzz target for a time, and adds up the executions. Needs nightly and cargo-fuzz (`cargo install cargo-fuzz`).
#
#   fuzz/run.sh [seconds for each target] [target ...]
#
# What was found stays in fuzz/artifacts, the inputs in fuzz/corpus, so that a later run goes on where this one ended.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n 's/^name = "\([a-z]*\)"$/\1/p' fuzz/Cargo.toml)
fi
# These hold code without any `unsafe`: the address sanitizer would only slow them down.
safe=" patterns cron retry "
total=0
for target in "${targets[@]}"; do
    sanitizer=address
    [[ $safe == *" $target "* ]] && sanitizer=none
    mkdir -p "fuzz/corpus/$target"
    log=$(mktemp)
    if ! nice cargo +nightly fuzz run --sanitizer "$sanitizer" "$target" -- \
        -max_total_time="$seconds" -max_len=512 -timeout=20 -print_final_stats=1 >"$log" 2>&1; then
        tail -60 "$log"
        echo "$target: FAILED"
        exit 1
    fi
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    rm -f "$log"
    echo "$target: ${count:?no executions} executions in $seconds s"
    total=$((total + count))
done
echo "total: $total executions"
