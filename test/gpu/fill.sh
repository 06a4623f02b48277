#!/bin/bash
# Fills a folder with what run.sh checks and measures on a machine with a GPU and its driver, nothing else: models with
# code for both, and two programs. It has to stay below 64 MiB.
#   bash test/gpu/fill.sh FOLDER [MODEL...]     MODEL: only these; EMULATED=1: for test/emulator in place of a driver
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n 2,4p "$0"; exit 2; }
bin=${BIN:-$here/../../build/release/bin} folder=$1
shift
code=ptx column=gpu
[ -z "${EMULATED:-}" ] || { code=bitcode; column=all; }
mkdir -p "$folder/small" "$folder/workloads" "$folder/lib"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# compile MODEL FILE [SETTING...]: an artefact with code for any x86-64 of the last ten years, and for GPUs.
compile() {
  local model=$1 file=$2 changes=()
  shift 2
  for setting; do changes+=(--set "$setting"); done
  "$bin/gen-zoo" export "$model" "${changes[@]}" -o "$scratch/$model.mlir" >"$scratch/log"
  "$bin/gencc" "$scratch/$model.mlir" --target=cpu,cuda --device-code=$code --mcpu=x86-64-v3 -o "$file"
}

while read -r model where settings; do
  case $model in '#'* | '') continue ;; esac
  [ $# -eq 0 ] || [[ " $* " == *" $model "* ]] || continue
  [ "$where" = all ] || [ "$column" = gpu ] || continue
  # shellcheck disable=SC2086 # settings are words
  compile "$model" "$folder/small/$model.so" $settings
  case $model in *_b[0-9]*) compile "$model" "$folder/workloads/$model.so" ;; esac # at its own size, to measure
done <"$here/models.txt"
# Kernels of large models, at their sizes.
if [ $# -eq 0 ] && [ "$column" = gpu ]; then
  for file in attentions attention-gradients; do
    "$bin/gencc" "$here/../target/Inputs/$file.mlir" --target=cpu,cuda --device-code=$code --mcpu=x86-64-v3 -o "$folder/small/$file.so"
  done
fi
cp "$bin/gpu-check" "$bin/gen-run" "$here/run.sh" "$here/peer_times.py" "$folder/"
strip "$folder/gpu-check" "$folder/gen-run"
ldd "$bin/gen-run" | awk '/libfmt/ { print $3 }' | xargs -r -I{} cp -L {} "$folder/lib/" # other machines lack it
du -sm "$folder" | awk '{ print $1 " MiB in " $2; exit $1 >= 64 }'
