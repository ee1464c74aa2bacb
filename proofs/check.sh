#!/usr/bin/env bash
# Checks the models of the protocols exhaustively, and that each of their rules is needed: with one removed, the check must fail.
#
#   proofs/check.sh            all
#   proofs/check.sh close      those whose name contains "close"
#
# Needs spin and a C compiler. Prints the states of each, and fails if a protocol breaks, a removal is not noticed, or a search
# was too small to mean anything.
set -euo pipefail
cd "$(dirname "$0")"
models=$PWD
work=$models/../target/proofs
filter=${1-}
mkdir -p "$work"
rm -f "$work"/*.result

# One search. KIND: `holds`, `breaks` (the removal of a rule must be noticed) or `moves` (no endless run without progress, if
# every process gets its turn). LEAST: states that it must store at least. Then the model and its definitions.
search() {
    local name=$1 kind=$2 least=$3 model=$4
    shift 4
    local folder=$work/$name flags=(-DSAFETY -DNOCLAIM) run=(-E) optimise=-O1
    # A search that breaks ends soon: compiling it is the most of it.
    [ "$kind" != breaks ] || optimise=-O0
    if [ "$kind" = moves ]; then
        flags=(-DNP -DNFAIR=3) run=(-E -l -f)
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    cd "$folder"
    spin -a "$@" "$models/$model" >spin.log 2>&1
    gcc "$optimise" -w "${flags[@]}" -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c
    timeout 600 ./pan "${run[@]}" -m2000000 >pan.log 2>&1 || true
    local states errors verdict=ok
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
    states=$(printf '%.0f' "${states:-0}")
    case $kind in
    breaks) [ "${errors:-0}" -gt 0 ] || verdict='NOT NOTICED' ;;
    *)
        [ "${errors:-1}" -eq 0 ] || verdict='BROKEN'
        [ "$states" -ge "$least" ] || verdict='TOO FEW STATES'
        ;;
    esac
    if grep -qE 'max search depth too small|out of memory|Search not completed' pan.log && [ "$kind" != breaks ]; then
        verdict='CUT SHORT'
    fi
    local what
    what=$(sed -n 's/^pan:1: *\(.*\) (at depth.*/\1/p' pan.log | head -1)
    printf '%-34s %-6s %10s states  %s  %s\n' "$name" "$kind" "$states" "$verdict" "${what:0:80}" | tee "$work/$name.result"
    rm -f pan pan.?
}
export -f search
export models work

# As many at a time as there are processors.
grep -vE '^ *(#|$)' cases.txt | grep -e "$filter" | xargs -P "$(nproc)" -I{} bash -c 'set -euo pipefail; search {}'
total=$(cat "$work"/*.result | wc -l)
bad=$(cat "$work"/*.result | grep -cvE ' states  ok ' || true)
echo "$total searches, $bad wrong"
[ "$total" -gt 0 ] && [ "$bad" -eq 0 ]
