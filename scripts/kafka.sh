#!/usr/bin/env bash
# A real Apache Kafka for the tests: KRaft, loopback, free ports, empty at each start. All its state lives below the
# target directory, so checkouts on one machine do not meet. --name gives a second cluster its own place beside the first.
#
#   scripts/kafka.sh [--name NAME] start [--brokers N] [--advertise PORT,PORT,…] | stop | status | env
#   scripts/kafka.sh [--name NAME] node kill|stop|start NODE
#
# STRUCTURED_PROMPT_TEST_KAFKA_VERSION names another version of Kafka, from 3.3 on, than that of tests/tools/kafka/pom.xml.
# --advertise gives each broker a second listener for clients, whose advertised port is the given one: somebody listens
# there and passes on what comes to the broker.
set -euo pipefail

name=kafka
if [[ ${1:-} == --name ]]; then
  [[ ${2:-} =~ ^[a-z]+$ ]] || { echo "kafka: --name takes a word" >&2 && exit 2; }
  name=$2
  shift 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/ports.sh"
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/tools"
tools=$(cd "$target/tools" && pwd)
pom=$root/tests/tools/kafka/pom.xml
version=${STRUCTURED_PROMPT_TEST_KAFKA_VERSION:-$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$pom")}
dist=$tools/kafka-$version
run=$tools/run/$name

# 16 bytes in Base64, as versions before 4 want it.
cluster_id=c3RydWN0dXJlZC1wcm9tcA
start_attempts=3
start_seconds=60

fail() {
  printf 'kafka: %s\n' "$*" >&2
  exit 1
}

# Shows the end of a log, then fails.
fail_with_log() {
  tail -n 20 "$1" >&2
  shift
  fail "$@"
}

# The jars are complete only when the stamp, written last, equals the pom they came from.
fetch() {
  cmp -s "$pom" "$dist/stamp" && return
  printf 'kafka: fetching Apache Kafka %s\n' "$version" >&2
  rm -rf "$dist"
  mkdir -p "$dist"
  mvn -q -B -f "$pom" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -Dkafka.version="$version" -DoutputDirectory="$dist/libs" >"$dist/fetch.log" 2>&1 ||
    fail_with_log "$dist/fetch.log" "Maven could not fetch the broker's jars; all of its output is in $dist/fetch.log"
  cp "$pom" "$dist/stamp"
}

# The command line tells a broker of ours from a zombie, and from a stranger that was given its process id.
is_alive() {
  ps -ww -o args= -p "$1" 2>/dev/null | grep -qF "$run/"
}

# The process ids of the brokers that still run, one a line.
alive() {
  local pid
  for pid in $(cat "$run"/*/pid 2>/dev/null); do
    if is_alive "$pid"; then echo "$pid"; fi
  done
}

# `brokers` is written when all of them have answered, so a start that was cut short does not count.
is_running() {
  [[ -f $run/brokers ]] && [[ $(alive | wc -l) -eq $(cat "$run"/*/pid | wc -l) ]]
}

# node_properties NODE PORT CONTROLLER_PORT VOTERS REPLICAS MIN_ISR [PROXIED_PORT ADVERTISED_PORT]
node_properties() {
  cat <<PROPERTIES
process.roles=broker,controller
node.id=$1
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3${7:+,PROXIED://127.0.0.1:$7}
advertised.listeners=PLAINTEXT://127.0.0.1:$2${8:+,PROXIED://127.0.0.1:$8}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=$4
log.dirs=$run/$1/data
auto.create.topics.enable=false
default.replication.factor=$5
min.insync.replicas=$6
offsets.topic.replication.factor=$5
transaction.state.log.replication.factor=$5
transaction.state.log.min.isr=$6
share.coordinator.state.topic.replication.factor=$5
share.coordinator.state.topic.min.isr=$6
# Few partitions of the internal topics, short sessions and no wait for more members: tests start and restart quickly.
offsets.topic.num.partitions=5
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
PROPERTIES
  # Whoever restricts nothing notices nothing. One broker alone: among several controllers the first vote would need a permission
  # before there is anybody who has read them.
  if (($5 == 1)); then
    cat <<PROPERTIES
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
PROPERTIES
  fi
}

java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$dist/libs/*"
  "-Dlog4j2.configurationFile=$root/tests/tools/kafka/log4j2.properties")

# Starts COUNT brokers on ports chosen now and waits until all of them answer; 1 when a port was taken meanwhile.
# launch COUNT [ADVERTISED_PORT…]
launch() {
  local count=$1 replicas=1 min_isr=1 node taken='' voters='' brokers='' behind=''
  local advertised=("$@")
  if ((count >= 3)); then replicas=3 min_isr=2; fi
  local ports=() controllers=() proxied=()
  for ((node = 1; node <= count; node++)); do
    ports[node]=$(free_port $taken)
    controllers[node]=$(free_port $taken "${ports[node]}")
    taken+=" ${ports[node]} ${controllers[node]}"
    brokers+=",127.0.0.1:${ports[node]}"
    voters+=",$node@127.0.0.1:${controllers[node]}"
    [[ -n ${advertised[node]:-} ]] || continue
    proxied[node]=$(free_port $taken)
    taken+=" ${proxied[node]}"
    behind+=",127.0.0.1:${proxied[node]}"
  done

  rm -rf "$run"
  for ((node = 1; node <= count; node++)); do
    local home=$run/$node
    mkdir -p "$home"
    node_properties "$node" "${ports[node]}" "${controllers[node]}" "${voters#,}" "$replicas" "$min_isr" \
      "${proxied[node]:-}" "${advertised[node]:-}" >"$home/server.properties"
    "${java[@]}" -Xmx64m kafka.tools.StorageTool format -t "$cluster_id" -c "$home/server.properties" \
      >"$home/log" 2>&1 || fail_with_log "$home/log" "the data directory of broker $node could not be formatted"
    echo "${ports[node]}" >"$home/port"
    launch_node "$node"
  done

  for ((node = 1; node <= count; node++)); do
    await_started "$node" || return 1
  done
  printf '%s' "${behind#,}" >"$run/proxied"
  echo "$version" >"$run/version"
  echo "${brokers#,}" >"$run/brokers"
}

launch_node() {
  local home=$run/$1
  # A session of its own: the broker outlives the shell that started it, and Ctrl-C there.
  $(command -v setsid) "${java[@]}" -Xmx384m kafka.Kafka "$home/server.properties" \
    </dev/null >"$home/log" 2>&1 &
  echo $! >"$home/pid"
}

# A broker logs its start after the controller has let it serve clients; the open port is what those then meet.
await_started() {
  local log=$run/$1/log pid port
  pid=$(cat "$run/$1/pid")
  port=$(cat "$run/$1/port")
  while ! { grep -q 'Kafka Server started' "$log" && is_open "$port"; }; do
    if ! kill -0 "$pid" 2>/dev/null; then
      grep -q 'Address already in use' "$log" && return 1
      fail_with_log "$log" "broker $1 stopped while starting; its log is $log"
    fi
    ((SECONDS < deadline)) || fail_with_log "$log" "broker $1 did not start within $start_seconds s; its log is $log"
    sleep 0.1
  done
}

start() {
  local count='' advertised=() attempt
  if [[ ${1:-} == --brokers ]]; then
    [[ ${2:-} =~ ^[1-9]$ ]] || fail "--brokers takes a number from 1 to 9"
    count=$2
    shift 2
  fi
  if [[ ${1:-} == --advertise ]]; then
    IFS=, read -ra advertised <<<"${2:-}"
    [[ ${#advertised[@]} -eq ${count:-1} ]] || fail "--advertise takes a port for each broker"
    shift 2
  fi
  [[ $# -eq 0 ]] || usage
  if is_running; then
    [[ -z $count || $(alive | wc -l) -eq $count ]] || fail "already running with another number of brokers; stop it first"
    [[ $(cat "$run/version") == "$version" ]] || fail "already running with Kafka $(cat "$run/version"); stop it first"
    echo "kafka: already running on $(cat "$run/brokers")"
    return
  fi
  fetch
  deadline=$((SECONDS + start_seconds))
  trap 'kill_brokers' EXIT
  for ((attempt = 1; attempt <= start_attempts; attempt++)); do
    kill_brokers
    if launch "${count:-1}" ${advertised[@]+"${advertised[@]}"}; then
      trap - EXIT
      echo "kafka: $version started on $(cat "$run/brokers") in $SECONDS s"
      return
    fi
  done
  fail "no free port in $start_attempts attempts; see $run"
}

# At once and not in order: what they hold is thrown away by the next start.
kill_brokers() {
  local pid
  for pid in $(alive); do kill -9 "$pid" 2>/dev/null || true; done
  while [[ -n $(alive) ]]; do sleep 0.05; done
}

stop() {
  if [[ -n $(alive) ]]; then
    kill_brokers
    echo "kafka: stopped"
  else
    echo "kafka: not running"
  fi
  rm -f "$run/brokers"
}

# What happens to a single broker: kill is SIGKILL, stop the orderly end, start begins again with what is on disk.
node() {
  [[ $# -eq 2 && -f $run/${2:-}/pid ]] || usage
  local home=$run/$2 pid
  pid=$(cat "$home/pid")
  case $1 in
    kill) kill -9 "$pid" ;;
    stop) kill -TERM "$pid" ;;
    start)
      is_alive "$pid" && fail "broker $2 runs already"
      deadline=$((SECONDS + start_seconds))
      launch_node "$2"
      await_started "$2" || fail_with_log "$home/log" "the port of broker $2 is taken"
      return
      ;;
    *) usage ;;
  esac
  while is_alive "$pid"; do sleep 0.05; done
}

status() {
  is_running || { echo "kafka: not running" && exit 1; }
  echo "kafka: running on $(cat "$run/brokers")"
}

environment() {
  is_running || fail "not running; start it with scripts/kafka.sh start"
  echo "export STRUCTURED_PROMPT_TEST_BROKERS=$(cat "$run/brokers")"
  echo "export STRUCTURED_PROMPT_TEST_BROKER_PIDS=$(alive | xargs | tr ' ' ,)"
  [[ ! -s $run/proxied ]] || echo "export STRUCTURED_PROMPT_TEST_PROXIED=$(cat "$run/proxied")"
}

usage() {
  sed -n 's/^#   scripts/usage: scripts/p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

case ${1:-} in
  start) start "${@:2}" ;;
  stop) stop ;;
  status) status ;;
  env) environment ;;
  node) node "${@:2}" ;;
  *) usage ;;
esac
