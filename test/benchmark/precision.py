#!/usr/bin/env python3
"""What products of fewer bits cost and give: for each workload of the zoo and each precision the largest error of the results,
relative to the largest value of f32's, the time, how often it fits into f32's, and the peak of memory. Weights and inputs are
random, the same for all.

    precision.py [--bin FOLDER] [--precisions NAME,...] [--threads N] [--repeat N] WORKLOAD..."""
import argparse
import pathlib
import tempfile

from workload import benchmark, read_npy, run, write_inputs

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("workloads", nargs="+")
parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
parser.add_argument("--precisions", default="bf16,f16,int8,int8w")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--repeat", type=int, default=20)
args = parser.parse_args()

precisions = ["f32", *args.precisions.split(",")]
print(f"{'workload':24} {'precision':9} {'error':>9} {'ms':>9} {'ratio':>6} {'MiB':>6}", flush=True)
for workload in args.workloads:
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run(args.bin / "gen-zoo", "export", workload, "-o", folder / "model.mlir")
        results, times, peaks = {}, {}, {}
        for precision in precisions:
            run(args.bin / "gencc", folder / "model.mlir", f"--precision={precision}", "-o", folder / f"{precision}.so")
        inputs = write_inputs(args.bin / "gen-run", folder / "f32.so", folder)
        for precision in precisions:
            out = folder / precision
            run(args.bin / "gen-run", folder / f"{precision}.so", "--entry=main", f"--output-dir={out}", *inputs)
            results[precision] = {path.stem: read_npy(path) for path in out.glob("*.npy")}
        for turn in range(3):  # alternated
            for precision in precisions:
                line = benchmark(args.bin / "gen-run", folder / f"{precision}.so",
                                 [f"--repeat={args.repeat}", f"--threads={args.threads}", *inputs])
                times.setdefault(precision, []).append(line["ms_median"])
                peaks[precision] = line["peak_rss_mib"]
        for precision in precisions:
            error = max(max(abs(a - b) for a, b in zip(results[precision][name], values)) / max(map(abs, values))
                        for name, values in results["f32"].items())
            time, f32 = (sorted(times[name])[1] for name in (precision, "f32"))
            print(f"{workload:24} {precision:9} {error:9.1e} {time:9.3f} {f32 / time:6.2f} {peaks[precision]:6.0f}", flush=True)
