#!/usr/bin/env bash
# Sets up a Python environment below the target directory, when it is not there yet, and prints the path of its interpreter.
#
#   scripts/python-tools.sh                      that of tests/tools/python
#   scripts/python-tools.sh NAME REQUIREMENTS    another one
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/tools"
venv=$(cd "$target/tools" && pwd)/${1:-python}
requirements=${2:-$root/tests/tools/python/requirements.txt}

# The environment is complete only when the stamp, written last, equals the requirements it was made from. An
# interpreter that has gone (a Python upgrade leaves a dangling link) makes it incomplete as well.
if ! cmp -s "$requirements" "$venv/stamp" || ! [[ -x $venv/bin/python ]]; then
  echo "python tools: installing into $venv" >&2
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
  cp "$requirements" "$venv/stamp"
fi
echo "$venv/bin/python"
