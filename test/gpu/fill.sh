#!/bin/bash
# Fills a folder with what run.sh checks and measures on a machine with a GPU and its driver, nothing else: models with
# code for both, rows of the op table with what the interpreter says of them, and two programs. It has to stay below
# 64 MiB.
#   bash test/gpu/fill.sh FOLDER [MODEL|OP...]  only these models (gemm: products; conv: convolutions; kernels: some alone),
#                                               and rows of these ops (gen.softmax); EMULATED=1: for test/emulator in place of a driver
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
# both MODEL NAME LIBRARY PRODUCT...: a model of products by their kernels, and by a library.
both() {
  local command=("$bin/gencc" "$1" --target=cuda --device-code=$code --precision=bf16) name=$2 library=$3
  shift 3
  printf '"cuda %s from bf16 from bf16": {"library": 1}\n' "$@" | paste -sd, | sed 's/.*/{&}/' >"$scratch/library.json"
  "${command[@]}" -o "$folder/products/$name-gencc.so"
  "${command[@]}" --schedules="$scratch/library.json" -o "$folder/products/$name-$library.so"
}
# Products alone, by their kernels and by cuBLASLt; convolutions, and by cuDNN.
sizes=(4096 8192) channels=(64 256)
[ "$column" = gpu ] || sizes=(64) channels=(8)
for size in "${sizes[@]}"; do
  [ $# -eq 0 ] || [[ " $* " == *" gemm "* ]] || continue
  sed "s/4096/$size/g" "$here/../target/Inputs/gemm.mlir" >"$scratch/gemm.mlir"
  both "$scratch/gemm.mlir" "gemm_$size" cublaslt "gen.matmul tensor<${size}x${size}xf32> tensor<${size}x${size}xf32>"
done
for c in "${channels[@]}"; do
  [ $# -eq 0 ] || [[ " $* " == *" conv "* ]] || continue
  sed "s/256/$c/g" "$here/../target/Inputs/conv.mlir" >"$scratch/conv.mlir"
  [ "$column" = gpu ] || sed -i 's/32x66x66x/1x8x8x/g; s/32x64x64x/1x6x6x/g' "$scratch/conv.mlir"
  window='channels_last=unit dilations=array<i64: 1, 1> groups=1 : i64 high=array<i64: 0, 0> low=array<i64: 0, 0>'
  window="$window strides=array<i64: 1, 1>" weight="tensor<3x3x${c}x${c}xf32>" image='tensor<32x66x66x' smaller='tensor<32x64x64x'
  [ "$column" = gpu ] || image='tensor<1x8x8x' smaller='tensor<1x6x6x'
  both "$scratch/conv.mlir" "conv_$c" cudnn "gen.convolution $window $image${c}xf32> $weight" \
    "gen.convolution_transpose $window $smaller${c}xf32> $weight"
done
# A linear layer with GELU, attention, and elements, alone.
if [ $# -eq 0 ] || [[ " $* " == *" kernels "* ]]; then
  cp "$here/../target/Inputs/kernels.mlir" "$scratch/kernels.mlir"
  [ "$column" = gpu ] || sed -i 's/4096/64/g; s/8x2048x16x64/1x64x2x64/g; s/8x16x2048/1x2x64/g; s/67108864/4096/g' "$scratch/kernels.mlir"
  "$bin/gencc" "$scratch/kernels.mlir" --target=cuda --device-code=$code --precision=bf16 -o "$folder/kernels.so"
fi
ops=()
for name; do [[ $name != gen.* ]] || ops+=("$name"); done
[ $# -gt 0 ] && [ ${#ops[@]} -eq 0 ] || "$bin/gpu-rows" "$folder/ops" $code "${ops[@]}"
tar -C "$folder" -czf "$folder/checked.tar.gz" small ops # code of a GPU is text
rm -r "$folder/small" "$folder/ops"
cp "$bin/gpu-check" "$bin/gen-run" "$here/run.sh" "$here/peer_times.py" "$folder/"
strip "$folder/gpu-check" "$folder/gen-run"
ldd "$bin/gen-run" | awk '/libfmt/ { print $3 }' | xargs -r -I{} cp -L {} "$folder/lib/" # other machines lack it
du -sm "$folder" | awk '{ print $1 " MiB in " $2; exit $1 >= 64 }'
