#!/usr/bin/env bash
# Measures throughput with a Kafka of its own beside it, which is stopped afterwards.
#
#   scripts/bench.sh [SCENARIO...] [--quick] [--repeats N] [--binary FILE]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kafka=("$root/scripts/kafka.sh" --name bench)

# Thousands of calls at the same time are as many open files, in the connector and in the stub provider.
ulimit -n "$(ulimit -Hn)"
cargo bench --locked --bench throughput --no-run
trap '"${kafka[@]}" stop' EXIT
"${kafka[@]}" stop
"${kafka[@]}" start
eval "$("${kafka[@]}" env)"
cargo bench --quiet --locked --bench throughput -- "$@"
