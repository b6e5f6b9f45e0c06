#!/usr/bin/env bash
# Installs Node.js packages below the target directory, when they are not there yet, and prints the path of their
# node_modules.
#
#   scripts/node-tools.sh                  those of tests/tools/node
#   scripts/node-tools.sh NAME DIRECTORY   others; DIRECTORY has a package.json and a package-lock.json
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/tools"
installed=$(cd "$target/tools" && pwd)/${1:-node}
source=${2:-$root/tests/tools/node}

# The packages are complete only when the stamp, written last, equals the lock that they were installed from.
if ! cmp -s "$source/package-lock.json" "$installed/stamp"; then
  echo "node tools: installing into $installed" >&2
  rm -rf "$installed"
  mkdir -p "$installed"
  cp "$source/package.json" "$source/package-lock.json" "$installed"
  npm ci --prefix "$installed" --ignore-scripts --no-audit --no-fund --loglevel error >&2
  cp "$source/package-lock.json" "$installed/stamp"
fi
echo "$installed/node_modules"
