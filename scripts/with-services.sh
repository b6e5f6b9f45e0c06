#!/usr/bin/env bash
# Runs a command with a real Kafka, Postgres and Redis beside it, named in STRUCTURED_PROMPT_TEST_BROKERS,
# STRUCTURED_PROMPT_TEST_POSTGRES and STRUCTURED_PROMPT_TEST_REDIS, and returns the command's exit code. A service that ran
# before is used and left running; one started here is stopped, on failure and Ctrl-C too.
#
#   scripts/with-services.sh COMMAND...
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ $# -gt 0 ]] || { echo "usage: scripts/with-services.sh COMMAND..." >&2 && exit 2; }

started=()
stop_started() {
  local service
  for service in ${started[@]+"${started[@]}"}; do "$scripts/$service.sh" stop; done
}
trap stop_started EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for service in kafka postgres redis; do
  "$scripts/$service.sh" status >/dev/null || started+=("$service")
  "$scripts/$service.sh" start
  eval "$("$scripts/$service.sh" env)"
done

# A process group of its own, so that a signal sent to this script alone reaches the command and all that it started.
set -m
"$@" &
command=$!
set +m
trap 'kill -TERM -- "-$command"; wait "$command" || true; exit 130' INT
trap 'kill -TERM -- "-$command"; wait "$command" || true; exit 143' TERM
wait "$command"
