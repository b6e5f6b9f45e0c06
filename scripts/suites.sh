#!/usr/bin/env bash
# Runs every test suite. Those that use Kafka mostly wait for it, so the others run beside them; the faults, whose limits
# are about time, run by themselves. A lane that fails does not stop the other: both are shown.
#
#   scripts/with-services.sh scripts/suites.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo test --locked --no-run

beside=$(mktemp)
trap 'rm -f "$beside"' EXIT
cargo test --locked --test kafka >"$beside" 2>&1 &
kafka=$!
failed=0
# All targets but `faults` and `kafka`: a suite of another letter is found without being named here.
cargo test --locked --lib --bins --test '[!fk]*' --no-fail-fast || failed=1
wait "$kafka" || failed=1
cat "$beside"
[[ $failed = 0 ]] || exit 1

cargo test --locked --test faults
cargo test --locked --doc
