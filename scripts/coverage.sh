#!/usr/bin/env bash
# Measures the line coverage of the tests: of all code, of src/prompt and of src/schema. Fails under the shares that are promised.
# Arguments go to `cargo test`, for example `--lib`; without any, all unit and integration tests run.
#
# Only this crate is instrumented: its dependencies are those of the ordinary build. What llvm-cov reads is what the
# compiler's own LLVM writes, so its version has to be the compiler's: of rustup's component llvm-tools, or of the system.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
export CARGO_TARGET_DIR=$target
work=$target/coverage

version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
host=$(rustc -vV | sed -n 's/^host: //p')
component=$(rustc --print sysroot)/lib/rustlib/$host/bin

# The path of an LLVM tool of the compiler's version.
tool() {
  if [[ -x $component/$1 ]]; then
    echo "$component/$1"
  else
    command -v "$1-$version"
  fi
}

if ! tool llvm-cov >/dev/null && [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
  echo "coverage: installing llvm-$version" >&2
  { apt-get update && apt-get install -y --no-install-recommends "llvm-$version"; } >&2 </dev/null || true
fi
if ! profdata=$(tool llvm-profdata) || ! cov=$(tool llvm-cov); then
  echo "missing: llvm-cov of LLVM $version; rustup component add llvm-tools, or the system's package llvm-$version" >&2
  exit 1
fi

rm -rf "$work"
mkdir -p "$work/raw"
wrapper=$work/rustc
printf '#!/bin/sh\nexec "$@" -C instrument-coverage\n' >"$wrapper"
chmod +x "$wrapper"
export RUSTC_WORKSPACE_WRAPPER=$wrapper
export LLVM_PROFILE_FILE=$work/raw/%p-%9m.profraw

# The programs that were tested, the connector among them.
cargo test --locked --no-run --message-format json "$@" |
  python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable"):
        print(message["executable"])' >"$work/programs"

if (($#)); then
  cargo test --locked "$@"
else
  STRUCTURED_PROMPT_TEST_PYTHON=$("$root/scripts/python-tools.sh")
  STRUCTURED_PROMPT_TEST_NODE_MODULES=$("$root/scripts/node-tools.sh")
  export STRUCTURED_PROMPT_TEST_PYTHON STRUCTURED_PROMPT_TEST_NODE_MODULES
  "$root/scripts/with-services.sh" cargo test --locked
fi

find "$work/raw" -name '*.profraw' >"$work/profiles"
"$profdata" merge --sparse --failure-mode=all --input-files="$work/profiles" --output "$work/merged.profdata"
objects=()
while IFS= read -r program; do
  objects+=(--object "$program")
done <"$work/programs"
"$cov" export --summary-only --instr-profile "$work/merged.profdata" "${objects[@]}" >"$work/summary.json"

python3 - "$work/summary.json" "$root" <<'REPORT'
import json, pathlib, sys

files = json.loads(pathlib.Path(sys.argv[1]).read_text())["data"][0]["files"]
source = sys.argv[2] + "/src/"
# Tests are not what they test.
lines = {
    file["filename"][len(source):]: file["summary"]["lines"]
    for file in files
    if file["filename"].startswith(source) and "/tests" not in file["filename"]
}
missed = False
for name, prefixes, least in [("all", ("",), 80), ("src/prompt", ("prompt/", "prompt.rs"), 90), ("src/schema", ("schema/", "schema.rs"), 90)]:
    chosen = [count for path, count in lines.items() if path.startswith(prefixes)]
    covered, total = sum(count["covered"] for count in chosen), sum(count["count"] for count in chosen)
    share = 100 * covered / total if total else 0
    missed |= share < least
    print(f"{name:<12} {share:5.1f} % of {total} lines; at least {least} %{'' if share >= least else ': TOO FEW'}")
sys.exit(1 if missed else 0)
REPORT
