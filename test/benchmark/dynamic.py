#!/usr/bin/env python3
"""What it costs that sizes are known only when an entry is called: for each workload of the zoo that has the setting `dynamic`,
the time with sizes that the compiler knew, with symbols in their place (called with the same sizes), how often the latter fits
into the former, the sizes of both artefacts, and the largest difference of their results, relative to the largest value.

    dynamic.py [--bin FOLDER] [--threads N] [--rounds N] [WORKLOAD...]"""
import argparse
import pathlib
import statistics
import tempfile

from workload import benchmark, read_npy, run, write_inputs

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("workloads", nargs="*")
parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=3)
args = parser.parse_args()
KINDS = {"static": 0, "dynamic": 1}


def results(folder, kind, inputs):
    out = folder / kind
    run(args.bin / "gen-run", folder / f"{kind}.so", "--entry=main", f"--output-dir={out}", *inputs)
    return {path.stem: read_npy(path) for path in out.glob("*.npy")}


def measure(workload, folder):
    for kind, value in KINDS.items():
        run(args.bin / "gen-zoo", "export", workload, f"--set=dynamic={value}", "-o", folder / f"{kind}.mlir")
        run(args.bin / "gencc", folder / f"{kind}.mlir", "-o", folder / f"{kind}.so")
    inputs = write_inputs(args.bin / "gen-run", folder / "static.so", folder)
    times = {kind: [] for kind in KINDS}
    for _ in range(args.rounds):  # alternated
        for kind in KINDS:
            line = benchmark(args.bin / "gen-run", folder / f"{kind}.so", [f"--threads={args.threads}", *inputs])
            times[kind].append(line["ms_median"])
    static, dynamic = (statistics.median(times[kind]) for kind in KINDS)
    sizes = [(folder / f"{kind}.so").stat().st_size / 1000 for kind in KINDS]
    expected, got = (results(folder, kind, inputs) for kind in KINDS)
    error = max(max(abs(a - b) for a, b in zip(got[name], values)) / max(map(abs, values)) for name, values in expected.items())
    print(f"{workload:24} {static:9.3f} {dynamic:9.3f} {static / dynamic:6.2f} {sizes[0]:6.0f} {sizes[1]:6.0f} "
          f"{error:10.1e}", flush=True)


listed = run(args.bin / "gen-zoo", "list").splitlines()
workloads = args.workloads or [line.split()[0] for line in listed if "dynamic=0" in line]
print(f"{'workload':24} {'static ms':>9} {'dynamic':>9} {'ratio':>6} {'kB':>6} {'kB':>6} {'difference':>10}", flush=True)
for name in workloads:
    with tempfile.TemporaryDirectory() as place:
        measure(name, pathlib.Path(place))
