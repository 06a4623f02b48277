#!/usr/bin/env python3
"""What weights of eight bits cost and give: for each workload of the zoo the largest error of int8w's results, relative to
the largest value of f32's, and both times and peaks of memory. Weights and inputs are random, the same for both.

    precision.py [--bin FOLDER] [--threads N] [--repeat N] WORKLOAD..."""
import argparse
import json
import pathlib
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
        for turn in range(3):  # alternated
            for precision in ("f32", "int8w"):
                out = folder / precision
                line = json.loads(run(args.bin / "gen-run", folder / f"{precision}.so", "--entry=main", "--benchmark",
                                      f"--repeat={args.repeat}", f"--threads={args.threads}", f"--output-dir={out}",
                                      "--json").splitlines()[-1])
                times.setdefault(precision, []).append(line["ms_median"])
                peaks[precision] = line["peak_rss_mib"]
                results[precision] = {path.stem: read_npy(path) for path in out.glob("*.npy")}
        error = max(max(abs(a - b) for a, b in zip(results["int8w"][name], values)) / max(map(abs, values))
                    for name, values in results["f32"].items())
        f32, int8w = (sorted(times[precision])[1] for precision in ("f32", "int8w"))
        print(f"{workload:24} {error:9.1e} {f32:9.3f} {int8w:9.3f} {f32 / int8w:6.2f} "
              f"{peaks["f32"]:8.0f} {peaks["int8w"]:9.0f}")
