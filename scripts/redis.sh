#!/usr/bin/env bash
# A real Redis for the tests: loopback, a free port, empty at each start, writing what it is told to disk. Its state lives
# below the target directory, so checkouts on one machine do not meet; the Redis of the machine is not touched.
#
#   scripts/redis.sh start | stop | status | env
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/ports.sh"
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/tools/run"
run=$(cd "$target/tools/run" && pwd)/redis

fail() {
  printf 'redis: %s\n' "$*" >&2
  exit 1
}

# Its title tells a server of ours from a stranger that was given its process id.
is_running() {
  [[ -f $run/pid && -f $run/port ]] &&
    ps -ww -o args= -p "$(cat "$run/pid")" 2>/dev/null | grep -q "redis-server .*:$(cat "$run/port")"
}

url() { echo "redis://127.0.0.1:$(cat "$run/port")"; }

start() {
  if is_running; then
    echo "redis: already running at $(url)"
    return
  fi
  rm -rf "$run"
  mkdir -p "$run"
  local port
  port=$(free_port)
  echo "$port" >"$run/port"
  redis-server --port "$port" --bind 127.0.0.1 --dir "$run" --save '' --appendonly yes --appendfsync always \
    --daemonize yes --pidfile "$run/pid" --logfile "$run/log" >/dev/null </dev/null
  until is_running && is_open "$port"; do
    ((SECONDS < 30)) || fail "it did not start; see $run/log"
    sleep 0.05
  done
  echo "redis: started at $(url) in $SECONDS s"
}

# At once: what it holds is thrown away.
stop() {
  if is_running; then
    kill -9 "$(cat "$run/pid")"
    while is_running; do sleep 0.05; done
    echo "redis: stopped"
  else
    echo "redis: not running"
  fi
  rm -rf "$run"
}

status() {
  is_running || { echo "redis: not running" && exit 1; }
  echo "redis: running at $(url)"
}

environment() {
  is_running || fail "not running; start it with scripts/redis.sh start"
  echo "export STRUCTURED_PROMPT_TEST_REDIS=$(url)"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status) status ;;
  env) environment ;;
  *) echo "usage: scripts/redis.sh start | stop | status | env" >&2 && exit 2 ;;
esac
