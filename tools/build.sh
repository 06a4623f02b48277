#!/bin/bash
# Installs what is missing (Debian 12's packages) and builds: bash tools/build.sh [release|debug|sanitize] [TARGET...]
# Without targets: everything.
# GENCC_TESTS=1 in the environment: also what only tests need (an emulator of AArch64).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
targets=("${@:2}")
case $preset in release | debug | sanitize) ;; *)
  echo "error: unknown preset '$preset'; expected release, debug or sanitize" >&2
  exit 2 ;;
esac

packages=(cmake ninja-build ccache git python3 libstdc++-12-dev llvm-22-dev libmlir-22-dev mlir-22-tools
  llvm-22-tools clang-22 lld-22 clang-format-22 clang-tidy-22 libclang-rt-22-dev libfmt-dev libgtest-dev libgmock-dev
  libcli11-dev libmimalloc-dev nlohmann-json3-dev zlib1g-dev libpng-dev libzstd-dev libedit-dev libxml2-dev
  libcurl4-openssl-dev)
[ -z "${GENCC_TESTS:-}" ] || packages+=(qemu-user libc6-dev-arm64-cross libstdc++-12-dev-arm64-cross)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
    missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  if ! command -v apt-get >/dev/null || { [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; }; then
    echo "error: these Debian packages are missing and cannot be installed from here: ${missing[*]}" >&2
    echo "hint: as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -q </dev/null >/dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    "${missing[@]}" </dev/null
fi

cmake --preset "$preset" --log-level=WARNING
cmake --build --preset "$preset" ${targets[@]:+--target "${targets[@]}"}
