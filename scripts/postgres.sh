#!/usr/bin/env bash
# A real Postgres for the tests: loopback, a free port, empty at each start. Its state lives below the target directory, so
# checkouts on one machine do not meet; the Postgres of the machine, if there is one, is not touched.
#
#   scripts/postgres.sh start | stop | status | env
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/ports.sh"
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/tools/run"
run=$(cd "$target/tools/run" && pwd)/postgres

fail() {
  printf 'postgres: %s\n' "$*" >&2
  exit 1
}

# Debian keeps the programs of the server out of the path.
program() {
  command -v "$1" || { ls -d /usr/lib/postgresql/*/bin/"$1" | sort -V | tail -n 1; } 2>/dev/null ||
    fail "$1 is not installed; scripts/prerequisites.sh test says how"
}

# Postgres refuses to run as root.
as_owner() {
  if [[ $(id -u) -eq 0 ]]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# The data directory: below `run`, or in /tmp if that is hidden from the user postgres, as a checkout of root's is.
home() { cat "$run/home" 2>/dev/null; }

make_home() {
  local home=$run/data
  mkdir -p "$run"
  if [[ $(id -u) -eq 0 ]]; then
    if as_owner test -x "$run"; then
      install -d -m 700 -o postgres "$home"
    else
      home=$(as_owner mktemp -d /tmp/structured-prompt-postgres.XXXXXX)
    fi
  fi
  echo "$home" >"$run/home"
}

is_running() {
  [[ -f $run/port ]] && as_owner "$(program pg_ctl)" -D "$(home)" status >/dev/null 2>&1
}

url() { echo "postgres://structured_prompt@127.0.0.1:$(cat "$run/port")/postgres"; }

start() {
  if is_running; then
    echo "postgres: already running at $(url)"
    return
  fi
  clear
  make_home
  local home port pg_ctl
  home=$(home) port=$(free_port) pg_ctl=$(program pg_ctl)
  as_owner "$(program initdb)" -D "$home" -U structured_prompt -A trust -E UTF8 --no-locale -N >"$run/log" 2>&1 ||
    fail "the data directory could not be made; see $run/log"
  as_owner "$pg_ctl" -D "$home" -w -t 60 -l "$home/log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100" start \
    >>"$run/log" 2>&1 </dev/null || fail "it did not start; see $run/log and $home/log"
  echo "$port" >"$run/port"
  echo "postgres: started at $(url) in $SECONDS s"
}

# At once: what it holds is thrown away.
clear() {
  if [[ -n $(home) ]]; then
    as_owner "$(program pg_ctl)" -D "$(home)" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$(home)"
  fi
  rm -rf "$run"
}

stop() {
  if is_running; then echo "postgres: stopped"; else echo "postgres: not running"; fi
  clear
}

status() {
  is_running || { echo "postgres: not running" && exit 1; }
  echo "postgres: running at $(url)"
}

environment() {
  is_running || fail "not running; start it with scripts/postgres.sh start"
  echo "export STRUCTURED_PROMPT_TEST_POSTGRES=$(url)"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status) status ;;
  env) environment ;;
  *) echo "usage: scripts/postgres.sh start | stop | status | env" >&2 && exit 2 ;;
esac
