#!/bin/bash
# Writes the reference pages of the ops and passes from the .td files: bash tools/docs.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-docs/generated}
tblgen=/usr/lib/llvm-22/bin/mlir-tblgen
flags=(-I . -I dialect -I /usr/lib/llvm-22/include)
mkdir -p "$out"
"$tblgen" -gen-dialect-doc -dialect=gen "${flags[@]}" dialect/GenOps.td -o "$out/ops.md"
[ ! -e passes/Passes.td ] || "$tblgen" -gen-pass-doc "${flags[@]}" passes/Passes.td -o "$out/passes.md"
[ ! -e "$out/passes.md" ] || sed -i '1a\\n# Passes' "$out/passes.md"
# Constraints as lists, no table-of-contents marks, no blanks at line ends, no double blank lines.
for page in "$out"/*.md; do
  text=$(sed -e 's/^\((C[0-9]*)\)/- \1/' -e '/^\[TOC\]$/d' -e 's/[ \t]*$//' "$page" | cat -s)
  printf '%s\n' "$text" >"$page"
done
