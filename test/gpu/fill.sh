#!/bin/bash
# Fills a folder with what run.sh checks and measures on a machine with a GPU and its driver, nothing else: models with
# code for both, rows of the op table with what the interpreter says of them, and two programs. It has to stay below
# 64 MiB.
#   bash test/gpu/fill.sh FOLDER [MODEL|OP...]  only these models (gemm: products), and rows of these ops (gen.softmax);
#                                               EMULATED=1: for test/emulator in place of a driver
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n 2,6p "$0"; exit 2; }
bin=${BIN:-$here/../../build/release/bin} folder=$1
shift
code=ptx column=gpu
[ -z "${EMULATED:-}" ] || { code=bitcode; column=all; }
mkdir -p "$folder/small" "$folder/ops" "$folder/products" "$folder/workloads" "$folder/lib"
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
# Kernels of large models, at their sizes. (CPUs do not multiply tf32, so there is nothing to compare it with.)
if [ $# -eq 0 ] && [ "$column" = gpu ]; then
  for kernels in attentions:f32 attentions:bf16 attention-gradients:f32 large-products:f32 large-products:bf16; do
    file=${kernels%:*} precision=${kernels#*:}
    "$bin/gencc" "$here/../target/Inputs/$file.mlir" --target=cpu,cuda --device-code=$code --mcpu=x86-64-v3 \
      --precision="$precision" -o "$folder/small/$file-$precision.so"
  done
fi
# Products alone, by their kernels and by cuBLASLt.
sizes=(4096 8192)
[ "$column" = gpu ] || sizes=(64)
for size in "${sizes[@]}"; do
  [ $# -eq 0 ] || [[ " $* " == *" gemm "* ]] || continue
  sed "s/4096/$size/g" "$here/../target/Inputs/gemm.mlir" >"$scratch/gemm.mlir"
  echo "{\"cuda gen.matmul tensor<${size}x${size}xf32> tensor<${size}x${size}xf32> from bf16 from bf16\": {\"library\": 1}}" \
    >"$scratch/library.json"
  gemm=("$bin/gencc" "$scratch/gemm.mlir" --target=cuda --device-code=$code --precision=bf16)
  "${gemm[@]}" -o "$folder/products/gemm_$size-gencc.so"
  "${gemm[@]}" --schedules="$scratch/library.json" -o "$folder/products/gemm_$size-cublaslt.so"
done
ops=()
for name; do [[ $name != gen.* ]] || ops+=("$name"); done
[ $# -gt 0 ] && [ ${#ops[@]} -eq 0 ] || "$bin/gpu-rows" "$folder/ops" $code "${ops[@]}"
tar -C "$folder" -czf "$folder/checked.tar.gz" small ops # code of a GPU is text
rm -r "$folder/small" "$folder/ops"
cp "$bin/gpu-check" "$bin/gen-run" "$here/run.sh" "$here/peer_times.py" "$folder/"
strip "$folder/gpu-check" "$folder/gen-run"
ldd "$bin/gen-run" | awk '/libfmt/ { print $3 }' | xargs -r -I{} cp -L {} "$folder/lib/" # other machines lack it
du -sm "$folder" | awk '{ print $1 " MiB in " $2; exit $1 >= 64 }'
