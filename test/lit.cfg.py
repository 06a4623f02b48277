# The lit suite: .mlir files check the compiler's text, .test files run commands.
import os
import shutil
import subprocess
import sys

import lit.formats

config.name = "gencc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "fuzz", "benchmark", "Inputs"]
config.test_source_root = os.path.join(config.source_dir, "test")
config.test_exec_root = os.path.join(config.build_dir, "test", "lit")

bin_dir = os.path.join(config.build_dir, "bin")
config.environment["PATH"] = os.pathsep.join([bin_dir, config.llvm_bin, os.environ["PATH"]])
for name in ("HOME", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "LD_PRELOAD"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

shared = os.path.normpath(os.path.join(config.source_dir, os.pardir, "shared"))
config.substitutions += [
    ("%shared", shared),
    ("%source", config.source_dir),
    ("%build", config.build_dir),
    ("%cxx", config.cxx),
    ("%cmake", config.cmake),
]
if os.path.isdir(os.path.join(shared, "data")):
    config.available_features.add("data")
if shutil.which("qemu-aarch64") and os.path.isdir("/usr/aarch64-linux-gnu/include"):
    config.available_features.add("aarch64")

# The peer benchmarks' definitions in PyTorch, and an interpreter that has it: PEERS_DIR, PEERS_PYTHON.
peers = os.environ.get("PEERS_DIR") or os.path.join(shared, "peers")
python = os.environ.get("PEERS_PYTHON") or sys.executable
config.environment["PEERS_DIR"] = peers
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
config.substitutions.append(("%peers-python", python))
if os.path.exists(os.path.join(peers, "models.py")):
    find = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('torch'))"
    if subprocess.run([python, "-c", find]).returncode == 0:
        config.available_features.add("torch")
    else:
        lit_config.note(f"{python} has no PyTorch: results are not compared with it (PEERS_PYTHON names another)")
else:
    lit_config.note(f"{peers}: no models.py: results are not compared with PyTorch's (PEERS_DIR names the folder)")

# The assembler of the CUDA toolkit, and a driver without a GPU (test/emulator).
ptxas = shutil.which("ptxas") or shutil.which("ptxas", path="/usr/local/cuda/bin")
config.substitutions.append(("%ptxas", ptxas or "ptxas"))
if ptxas:
    config.available_features.add("ptxas")
else:
    lit_config.note("no ptxas: code for GPUs is not assembled")
emulator = os.path.join(config.build_dir, "lib", "gen-cuda-emulator.so")
config.substitutions.append(("%emulator", emulator))
if os.path.exists(emulator):
    config.available_features.add("emulator")

if config.sanitize:
    config.available_features.add("sanitize")
for tool in ("gencc", "gen-opt", "gen-run", "gen-zoo"):
    if os.path.exists(os.path.join(bin_dir, tool)):
        config.available_features.add(tool)
