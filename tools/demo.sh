#!/bin/bash
# From a fresh clone to pictures: installs what is missing, builds, trains the VAE for about a minute and writes
# out/samples.png, out/reconstructions.png, out/loss.svg, out/vae.so and out/vae.safetensors.
#   bash tools/demo.sh [--data DIR]    DIR: IDX files of MNIST or Fashion-MNIST; without it, drawn digits
set -euo pipefail
start=$SECONDS
data=()
while [ $# -gt 0 ]; do
  case $1 in
  --data)
    [ $# -ge 2 ] || { echo "error: --data: expected a folder" >&2; exit 2; }
    [ -d "$2" ] || { echo "error: --data: no folder '$2'" >&2; exit 1; }
    data=(--data "$(realpath "$2")")
    shift 2 ;;
  -h | --help)
    sed -n '2,4s/^# \{0,1\}//p' "$0"
    exit 0 ;;
  *)
    echo "error: unknown argument '$1'; expected --data DIR" >&2
    exit 2 ;;
  esac
done
cd "$(dirname "$0")/.."

bash tools/build.sh release gen-zoo gencc gen-run
mkdir -p out
build/release/bin/gen-zoo train vae --steps 4000 --seed 1 --output-dir out "${data[@]}"

for file in samples.png reconstructions.png loss.svg vae.so vae.safetensors; do
  [ -s "out/$file" ] || { echo "error: out/$file was not written" >&2; exit 1; }
done
echo "done in $((SECONDS - start)) s: look at out/samples.png, out/reconstructions.png and out/loss.svg"
