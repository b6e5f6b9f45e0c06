#!/usr/bin/env bash
# Measures throughput with a Kafka of its own beside it, which is stopped afterwards. Without scenarios everything is measured, also
# two other programs that do the same job, and in S4 three other gateways; they are fetched below the target directory.
#
#   scripts/bench.sh [SCENARIO...] [--quick] [--repeats N] [--binary FILE] [--write]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/tools"
tools=$(cd "$target/tools" && pwd)
kafka=("$root/scripts/kafka.sh" --name bench)

# The jars and the class are complete only when the stamp, written last, equals what they were made from.
parallel_consumer() {
  local source=$root/benches/peers/parallel-consumer made=$tools/parallel-consumer
  if ! cat "$source/pom.xml" "$source/Peer.java" | cmp -s - "$made/stamp"; then
    echo "bench: fetching Parallel Consumer" >&2
    rm -rf "$made"
    mkdir -p "$made"
    mvn -q -B -f "$source/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
      -DoutputDirectory="$made/libs" >"$made/fetch.log" 2>&1 ||
      { echo "bench: Maven could not fetch the jars; see $made/fetch.log" >&2 && exit 1; }
    javac -cp "$made/libs/*" -d "$made/classes" "$source/Peer.java"
    cat "$source/pom.xml" "$source/Peer.java" >"$made/stamp"
  fi
  echo "$made/classes:$made/libs/*"
}

# Prints the options that name the other gateways, one a line. One that cannot be installed is left out.
gateways() {
  local peer requirements
  for peer in litellm tensorzero; do
    requirements=$root/benches/peers/$peer/requirements.txt
    if "$root/scripts/python-tools.sh" "bench-$peer" "$requirements" >"$tools/path"; then
      printf '%s\n' "--$peer" "$(cat "$tools/path")"
    else
      echo "bench: $peer cannot be installed, and is not measured" >&2
    fi
  done
  if "$root/scripts/node-tools.sh" bench-portkey "$root/benches/peers/portkey" >"$tools/path"; then
    printf '%s\n' --portkey "$(cat "$tools/path")"
  else
    echo "bench: portkey cannot be installed, and is not measured" >&2
  fi
}

# Thousands of calls at the same time are as many open files, in the connector and in the stub provider.
ulimit -n "$(ulimit -Hn)"
scenarios=$(grep -oE '(^| )[sS][0-9]j?' <<<"$*" | xargs || true)
peers=()
if [[ -z $scenarios ]]; then
  peers=(--parallel-consumer "$(parallel_consumer)"
    --python "$("$root/scripts/python-tools.sh" bench-python "$root/benches/peers/python/requirements.txt")")
fi
if [[ -z $scenarios || ${scenarios,,} == *s4* ]]; then
  mapfile -t -O "${#peers[@]}" peers < <(gateways)
fi
cargo bench --locked --bench throughput --no-run
if [[ ${scenarios,,} != s4 ]]; then
  trap '"${kafka[@]}" stop' EXIT
  "${kafka[@]}" stop
  "${kafka[@]}" start
  eval "$("${kafka[@]}" env)"
fi
cargo bench --quiet --locked --bench throughput -- ${peers[@]+"${peers[@]}"} "$@"
