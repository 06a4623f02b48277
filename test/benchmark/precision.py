#!/usr/bin/env python3
"""What products of fewer bits cost and give: for each workload of the zoo and each precision the largest error of the results,
relative to the largest value of f32's, the time, how often it fits into f32's, and the peak of memory. Weights and inputs are
random, the same for all.

    precision.py [--bin FOLDER] [--precisions NAME,...] [--threads N] [--repeat N] WORKLOAD..."""
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
parser.add_argument("--precisions", default="bf16,f16,int8,int8w")
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


precisions = ["f32", *args.precisions.split(",")]
print(f"{'workload':24} {'precision':9} {'error':>9} {'ms':>9} {'ratio':>6} {'MiB':>6}", flush=True)
for workload in args.workloads:
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run(args.bin / "gen-zoo", "export", workload, "-o", folder / "model.mlir")
        results, times, peaks = {}, {}, {}
        for precision in precisions:
            run(args.bin / "gencc", folder / "model.mlir", f"--precision={precision}", "-o", folder / f"{precision}.so")
        entries = [json.loads(line) for line in run(args.bin / "gen-run", folder / "f32.so", "--list", "--json").splitlines()]
        inputs = []
        for tensor in next(entry["inputs"] for entry in entries if entry.get("entry") == "main"):
            write_npy(folder / f"{tensor['name']}.npy", tensor["type"])
            inputs.append(f"--input={tensor['name']}={folder / tensor['name']}.npy")
        for precision in precisions:
            out = folder / precision
            run(args.bin / "gen-run", folder / f"{precision}.so", "--entry=main", f"--output-dir={out}", *inputs)
            results[precision] = {path.stem: read_npy(path) for path in out.glob("*.npy")}
        for turn in range(3):  # alternated
            for precision in precisions:
                line = json.loads(run(args.bin / "gen-run", folder / f"{precision}.so", "--entry=main", "--benchmark",
                                      f"--repeat={args.repeat}", f"--threads={args.threads}", "--json",
                                      *inputs).splitlines()[-1])
                times.setdefault(precision, []).append(line["ms_median"])
                peaks[precision] = line["peak_rss_mib"]
        for precision in precisions:
            error = max(max(abs(a - b) for a, b in zip(results[precision][name], values)) / max(map(abs, values))
                        for name, values in results["f32"].items())
            time, f32 = (sorted(times[name])[1] for name in (precision, "f32"))
            print(f"{workload:24} {precision:9} {error:9.1e} {time:9.3f} {f32 / time:6.2f} {peaks[precision]:6.0f}", flush=True)
