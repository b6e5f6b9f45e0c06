#!/usr/bin/env bash
# Runs a command with a real Kafka beside it, named in STRUCTURED_PROMPT_TEST_BROKERS, and returns the command's exit
# code. A Kafka that ran before is used and left running; one started here is stopped, on failure and Ctrl-C too.
#
#   scripts/with-kafka.sh COMMAND...
set -euo pipefail

kafka=$(dirname "${BASH_SOURCE[0]}")/kafka.sh
[[ $# -gt 0 ]] || { echo "usage: scripts/with-kafka.sh COMMAND..." >&2 && exit 2; }

"$kafka" status >/dev/null || trap '"$kafka" stop' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$kafka" start
eval "$("$kafka" env)"

# A process group of its own, so that a signal sent to this script alone reaches the command and all that it started.
set -m
"$@" &
command=$!
set +m
trap 'kill -TERM -- "-$command"; wait "$command" || true; exit 130' INT
trap 'kill -TERM -- "-$command"; wait "$command" || true; exit 143' TERM
wait "$command"
