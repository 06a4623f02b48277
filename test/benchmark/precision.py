#!/usr/bin/env python3
"""What weights of eight bits cost and give: for each workload of the zoo the largest error of int8w's results, relative to
the largest value of f32's, and both times and peaks of memory. Weights and inputs are random, the same for both.

    precision.py [--bin FOLDER] [--threads N] [--repeat N] WORKLOAD..."""
import argparse
import json
import math
import pathlib
import random
import re
import struct
import subprocess
import tempfile

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("workloads", nargs="+")
parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--repeat", type=int, default=20)
args = parser.parse_args()


def read_npy(path):
    data = path.read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    assert re.search(rb"'descr': '<f4'", data), f"{path}: expected float32"
    return struct.unpack(f"<{len(data[start:]) // 4}f", data[start:])


def write_npy(path, type):
    """Random values of a type as gen-run prints it: f32[128, 20] or i64[1, 64] (small numbers: indices)."""
    kind, shape = re.fullmatch(r"(f32|i64)\[(.*)\]", type).groups()
    count = math.prod(map(int, filter(None, shape.split(", "))))
    header = f"{{'descr': '{'<f4' if kind == 'f32' else '<i8'}', 'fortran_order': False, 'shape': ({shape},), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = [random.gauss(0, 1) if kind == "f32" else random.randrange(2) for _ in range(count)]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{count}{'f' if kind == 'f32' else 'q'}", *values))


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


print(f"{'workload':24} {'error':>9} {'f32 ms':>9} {'int8w ms':>9} {'ratio':>6} {'f32 MiB':>8} {'int8w MiB':>9}")
for workload in args.workloads:
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run(args.bin / "gen-zoo", "export", workload, "-o", folder / "model.mlir")
        results, times, peaks = {}, {}, {}
        for precision in ("f32", "int8w"):
            run(args.bin / "gencc", folder / "model.mlir", f"--precision={precision}", "-o", folder / f"{precision}.so")
        entries = [json.loads(line) for line in run(args.bin / "gen-run", folder / "f32.so", "--list", "--json").splitlines()]
        inputs = []
        for tensor in next(entry["inputs"] for entry in entries if entry.get("entry") == "main"):
            write_npy(folder / f"{tensor['name']}.npy", tensor["type"])
            inputs.append(f"--input={tensor['name']}={folder / tensor['name']}.npy")
        for precision in ("f32", "int8w"):
            out = folder / precision
            run(args.bin / "gen-run", folder / f"{precision}.so", "--entry=main", f"--output-dir={out}", *inputs)
            results[precision] = {path.stem: read_npy(path) for path in out.glob("*.npy")}
        for turn in range(3):  # alternated
            for precision in ("f32", "int8w"):
                line = json.loads(run(args.bin / "gen-run", folder / f"{precision}.so", "--entry=main", "--benchmark",
                                      f"--repeat={args.repeat}", f"--threads={args.threads}", "--json",
                                      *inputs).splitlines()[-1])
                times.setdefault(precision, []).append(line["ms_median"])
                peaks[precision] = line["peak_rss_mib"]
        error = max(max(abs(a - b) for a, b in zip(results["int8w"][name], values)) / max(map(abs, values))
                    for name, values in results["f32"].items())
        f32, int8w = (sorted(times[precision])[1] for precision in ("f32", "int8w"))
        print(f"{workload:24} {error:9.1e} {f32:9.3f} {int8w:9.3f} {f32 / int8w:6.2f} "
              f"{peaks['f32']:8.0f} {peaks['int8w']:9.0f}")
