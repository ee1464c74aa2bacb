#!/usr/bin/env bash
# A million histories of real threads, from another seed each time.
#
#   bash tests/linear/explore.sh [histories, 1,000,000 unless said] [seed]
set -euo pipefail
cd "$(dirname "$0")/../.."
export LINEAR_HISTORIES=${1:-1000000} LINEAR_SEED=${2:-$(date +%s)} CARGO_INCREMENTAL=0
cargo test --locked --release -p millpond --test linearizability -- --nocapture
