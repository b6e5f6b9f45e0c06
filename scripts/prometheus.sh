#!/usr/bin/env bash
# A real Prometheus and Alertmanager with the configuration of deploy/: loopback, free ports, empty at each start. They
# scrape a connector that runs on this machine. All their state lives below the target directory.
#
#   scripts/prometheus.sh start [HOST:PORT]    HOST:PORT of the connector, 127.0.0.1:8080 if not given
#   scripts/prometheus.sh stop | status | env
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/ports.sh"
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/tools/run"
run=$(cd "$target/tools/run" && pwd)/prometheus

fail() {
  printf 'prometheus: %s\n' "$*" >&2
  exit 1
}

# Debian names it otherwise than its authors do.
alertmanager_program() {
  command -v alertmanager || command -v prometheus-alertmanager ||
    fail "there is no Alertmanager; scripts/prerequisites.sh test installs it, or says how"
}

# The command line tells a server of ours from a stranger that was given its process id.
is_alive() {
  [[ -f $run/$1/pid ]] && ps -ww -o args= -p "$(cat "$run/$1/pid")" 2>/dev/null | grep -qF "$run/$1/"
}

is_running() { is_alive prometheus && is_alive alertmanager; }

url() { echo "http://127.0.0.1:$(cat "$run/$1/port")"; }

# launch NAME PROGRAM OPTION…; the port is chosen before, since the other one has to know it.
launch() {
  local home=$run/$1 name=$1 port
  port=$(cat "$home/port")
  shift
  $(command -v setsid) "$@" --web.listen-address="127.0.0.1:$port" </dev/null >"$home/log" 2>&1 &
  echo $! >"$home/pid"
  until curl --silent --fail --output /dev/null "http://127.0.0.1:$port/-/ready"; do
    kill -0 "$!" 2>/dev/null || fail "$name has ended; see $home/log"
    ((SECONDS < 60)) || fail "$name did not start; see $home/log"
    sleep 0.1
  done
}

start() {
  local connector=${1:-127.0.0.1:8080} name port alertmanager taken=''
  if is_running; then
    echo "prometheus: already running at $(url prometheus), the Alertmanager at $(url alertmanager)"
    return
  fi
  alertmanager=$(alertmanager_program)
  kill_servers
  trap kill_servers EXIT
  rm -rf "$run"
  for name in prometheus alertmanager; do
    mkdir -p "$run/$name/data"
    cp "$root/deploy/$name"/*.yml "$run/$name/"
    port=$(free_port $taken)
    taken+=" $port"
    echo "$port" >"$run/$name/port"
  done
  sed -e "s/connector:8080/$connector/" -e "s/alertmanager:9093/127.0.0.1:$(cat "$run/alertmanager/port")/" \
    "$root/deploy/prometheus/prometheus.yml" >"$run/prometheus/prometheus.yml"
  launch alertmanager "$alertmanager" --config.file="$run/alertmanager/alertmanager.yml" \
    --storage.path="$run/alertmanager/data" --cluster.listen-address=
  launch prometheus prometheus --config.file="$run/prometheus/prometheus.yml" \
    --storage.tsdb.path="$run/prometheus/data"
  trap - EXIT
  echo "prometheus: started at $(url prometheus), the Alertmanager at $(url alertmanager), in $SECONDS s"
}

# At once: what they hold is thrown away.
kill_servers() {
  local name
  for name in prometheus alertmanager; do
    is_alive "$name" || continue
    kill -9 "$(cat "$run/$name/pid")"
    while is_alive "$name"; do sleep 0.05; done
  done
}

stop() {
  if is_alive prometheus || is_alive alertmanager; then
    kill_servers
    echo "prometheus: stopped"
  else
    echo "prometheus: not running"
  fi
  rm -rf "$run"
}

status() {
  is_running || { echo "prometheus: not running" && exit 1; }
  echo "prometheus: running at $(url prometheus), the Alertmanager at $(url alertmanager)"
}

environment() {
  is_running || fail "not running; start it with scripts/prometheus.sh start"
  echo "export PROMETHEUS_URL=$(url prometheus)"
  echo "export ALERTMANAGER_URL=$(url alertmanager)"
}

case ${1:-} in
  start) start "${2:-}" ;;
  stop) stop ;;
  status) status ;;
  env) environment ;;
  *) sed -n 's/^#   scripts/usage: scripts/p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
