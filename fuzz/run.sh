#!/usr/bin/env bash
# Runs each fuzz target for a time, and adds up the executions. Needs a C++ compiler and a nightly toolchain; without nightly, the
# same without the address sanitizer. It does itself what cargo-fuzz would do, so that one need not be there.
#
#   fuzz/run.sh [--one-build] [seconds for each target] [target ...]
#
# `--one-build` builds every target with the sanitizer: less to build where nothing is there yet, but parsers are fuzzed more slowly.
# What was found stays in fuzz/artifacts, the inputs in fuzz/corpus, so that a later run goes on where this one ended.
set -euo pipefail
cd "$(dirname "$0")"
# These hold code without any `unsafe`: the address sanitizer would only slow them down.
safe=" patterns cron retry "
if [ "${1:-}" = --one-build ]; then
    safe=""
    shift
fi
seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n 's/^name = "\([a-z]*\)"$/\1/p' Cargo.toml)
fi
host=x86_64-unknown-linux-gnu
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
toolchain=() address=""
if cargo +nightly --version >/dev/null 2>&1; then
    toolchain=(+nightly) address="-Zsanitizer=address"
else
    echo "!!! there is no nightly: the fuzz targets run without the address sanitizer"
fi

# Where a target's program is.
place() {
    if [[ $safe != *" $1 "* ]] && [ -n "$address" ]; then
        echo target/address
    else
        echo target/plain
    fi
}

# Builds the targets that belong into a place, if there are any.
build() {
    local flags=$coverage names=()
    for target in "${targets[@]}"; do
        if [ "$(place "$target")" = "$1" ]; then
            names+=(--bin "$target")
        fi
    done
    if [ ${#names[@]} -eq 0 ]; then
        return
    fi
    if [ "$1" = target/address ]; then
        flags+=" $address"
    fi
    RUSTFLAGS=$flags CARGO_INCREMENTAL=0 \
        cargo "${toolchain[@]}" build --locked --release --target "$host" --target-dir "$1" "${names[@]}"
}

build target/address
build target/plain
total=0
for target in "${targets[@]}"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    log=$(mktemp)
    # An input takes some microseconds.
    if ! nice "$(place "$target")/$host/release/$target" "corpus/$target" -artifact_prefix="artifacts/$target/" \
        -max_total_time="$seconds" -max_len=256 -timeout=20 -print_final_stats=1 >"$log" 2>&1; then
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
