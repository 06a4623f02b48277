#!/bin/bash
# Builds and runs the whole suite: GoogleTest, lit (with the checks of the sources and the end-to-end tests), and both
# again under AddressSanitizer and UndefinedBehaviorSanitizer. The last line is "N passed, N failed".
#   bash test/run.sh [--quick]     --quick: the release build only
set -uo pipefail
cd "$(dirname "$0")/.."
presets=(release sanitize)
[ "${1:-}" = --quick ] && presets=(release)
results=$PWD/build/results
rm -rf "$results" && mkdir -p "$results" || exit 1
export GTEST_COLOR=no GENCC_TESTS=1
# LLVM's libraries are not instrumented: containers and memory pools that they share with this code look wrong to it.
export ASAN_OPTIONS=detect_container_overflow=0:allow_user_poisoning=0
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/test/lsan.supp:print_suppressions=0

# A step that breaks (a build, a crash, no results) counts as one failed test.
broken() { echo "FAILED: $1"; echo "$1" >>"$results/broken"; }

# Tests differ in how long they take: several parts for each processor, and as many processes as processors.
run_in_shards() {
  local binary=$1 name=$2 processors shards shard
  processors=$(nproc)
  shards=$((4 * processors))
  for ((shard = 0; shard < shards; ++shard)); do
    while (($(jobs -rp | wc -l) >= processors)); do wait -n; done
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard "$binary" --gtest_brief=1 \
      --gtest_output="json:$results/$name-$shard.gtest.json" >"$results/$name-$shard.log" 2>&1 &
  done
  wait
  for ((shard = 0; shard < shards; ++shard)); do
    cat "$results/$name-$shard.log"
    [ -s "$results/$name-$shard.gtest.json" ] || broken "$name, part $shard: ended without results"
  done
}

step() { echo "== $((SECONDS / 60)) min: $1"; }

for preset in "${presets[@]}"; do
  step "$preset: build"
  bash tools/build.sh "$preset" || { broken "$preset: build"; continue; }
  for binary in "build/$preset"/bin/unit*; do
    step "$preset: $(basename "$binary")"
    run_in_shards "$binary" "$preset-$(basename "$binary")"
  done
  step "$preset: lit"
  lit=$(command -v lit || echo /usr/lib/llvm-22/bin/lit)
  "$lit" -v -o "$results/$preset.lit.json" "build/$preset/test"
  [ -s "$results/$preset.lit.json" ] || broken "$preset: lit ended without results"
done

step "results"
python3 test/count.py "$results"
