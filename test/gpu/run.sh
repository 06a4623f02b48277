#!/bin/bash
# Checks and measures on a machine with an NVIDIA GPU what fill.sh has put into this folder. Needs the driver only; what
# else it can use (compute-sanitizer, a Python with PyTorch or JAX and the folder PEERS_DIR with their models) is said to
# be skipped where it is not there. The exit status is 0 if all that was run is right.
#   bash run.sh [FOLDER]     default: where this file is
set -uo pipefail
folder=${1:-$(cd "$(dirname "$0")" && pwd)}
export LD_LIBRARY_PATH=$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
failed=0 skipped=()
checked=$(mktemp -d)
trap 'rm -rf "$checked"' EXIT
tar -xzf "$folder/checked.tar.gz" -C "$checked" || exit 1
skip() { echo "SKIPPED: $1"; skipped+=("$1"); }

echo "== machine"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || skip "nvidia-smi: not there"

shopt -s nullglob
# check WHAT FILE...: each artefact on the GPU.
check() {
  local what=$1
  shift
  if [ $# -gt 0 ]; then "$folder/gpu-check" "$@" || failed=1; else skip "$what: there are none in the folder"; fi
}
echo "== models on the GPU beside the CPU"
check models "$checked"/small/*.so

echo "== ops on the GPU beside stored results"
check ops "$checked"/ops/*.so

echo "== compute-sanitizer"
if command -v compute-sanitizer >/dev/null; then
  for model in vae gpt lstm resnet wgan_gp; do
    [ -f "$checked/small/$model.so" ] || { skip "compute-sanitizer of $model: not in the folder"; continue; }
    for tool in memcheck racecheck synccheck initcheck; do
      echo "-- $model, $tool"
      compute-sanitizer --tool $tool --error-exitcode 1 "$folder/gpu-check" "$checked/small/$model.so" || failed=1
    done
  done
else
  skip "compute-sanitizer: not there"
fi

echo "== times"
workloads=("$folder"/workloads/*.so)
[ ${#workloads[@]} -gt 0 ] || skip "times: there are no workloads in the folder"
# time_it OF [OPTION...]: a line for the workload $name.
time_it() {
  local of=$1 line
  shift
  line=$("$folder/gen-run" "$artefact" --device=cuda --benchmark --json "$@") || { failed=1; return; }
  echo "{\"workload\":\"$name\",\"of\":\"$of\",${line#\{}"
}
for artefact in "${workloads[@]}"; do
  name=$(basename "$artefact" .so)
  time_it gencc
  case $name in train_*) GEN_CUDA_GRAPH=chain time_it gencc-chain ;; esac # one launch after another
done

echo "== products and convolutions of bf16, four in a row"
library() { ldconfig -p 2>/dev/null | awk "/$1/ { print \$NF; exit }"; }
# They have to be those.
export GEN_CUBLASLT=${GEN_CUBLASLT:-$(library 'libcublasLt[.]so[.]1[123]')} GEN_CUDNN=${GEN_CUDNN:-$(library 'libcudnn[.]so[.]9')}
for artefact in "$folder"/products/*.so; do
  name=$(basename "$artefact" .so)
  case $name in
  *-cublaslt) [ -n "$GEN_CUBLASLT" ] || { skip "$name: no libcublasLt.so; GEN_CUBLASLT names one"; continue; } ;;
  *-cudnn) [ -n "$GEN_CUDNN" ] || { skip "$name: no libcudnn.so.9; GEN_CUDNN names one"; continue; } ;;
  esac
  "$folder/gen-run" "$artefact" --device=cuda --entry=init --save="$checked/operands.safetensors" >/dev/null &&
    line=$("$folder/gen-run" "$artefact" --device=cuda --entry="${name%%_*}" --load="$checked/operands.safetensors" --benchmark --json) ||
    { failed=1; continue; }
  echo "{\"workload\":\"${name%-*}\",\"of\":\"${name##*-}\",${line#\{}"
done

python=${PYTHON:-python3}
echo "== kernels alone, of bf16: a linear layer with GELU and causal attention, four in a row; elements beside a copy"
artefact=$folder/kernels.so
if [ -f "$artefact" ]; then
  "$folder/gen-run" "$artefact" --device=cuda --entry=init --save="$checked/operands.safetensors" >/dev/null || failed=1
  for name in linear_gelu attention elements; do
    time_it gencc --entry=$name --load="$checked/operands.safetensors"
    if "$python" -c "import sys, torch; sys.exit(not torch.cuda.is_available())" 2>/dev/null; then
      "$python" "$folder/peer_times.py" - kernels $name || failed=1
    else
      skip "$name of PyTorch: $python has none that sees a GPU"
    fi
  done
else
  skip "kernels alone: not in the folder"
fi

# measure PEER EXPRESSION: with the peer, where the expression says that it sees a GPU.
measure() {
  if [ -z "${PEERS_DIR:-}" ]; then
    skip "$1: PEERS_DIR does not name the folder with models.py"
  elif ! "$python" -c "import sys, $1; sys.exit(not ($2))" 2>/dev/null; then
    skip "$1: $python has none that sees a GPU"
  else
    for artefact in "${workloads[@]}"; do
      "$python" "$folder/peer_times.py" "$PEERS_DIR" "$1" "$(basename "$artefact" .so)" || failed=1
    done
  fi
}
measure torch "torch.cuda.is_available()"
measure jax "jax.default_backend() == 'gpu'"

echo "== $([ $failed = 0 ] && echo right || echo WRONG), ${#skipped[@]} skipped"
for what in "${skipped[@]}"; do echo "skipped: $what"; done
exit $failed
