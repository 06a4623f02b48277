"""Our compiled models against other compilers, measured in turns: prints a table in Markdown.

    python3 test/benchmark/peers.py --peers DIR --python PYTHON [--out results.jsonl] [--svg chart.svg]
    python3 test/benchmark/peers.py --report results.jsonl... [--svg chart.svg]

DIR holds the peer benchmarks (run.py, which measures one peer on one workload and prints a line of JSON; models.py;
ceiling.c), PYTHON is the interpreter of an environment in which their requirements are installed; PEERS_DIR and
PEERS_PYTHON say the same. Measured is what the zoo and models.py both have. For every workload and number of threads,
each round runs ours and then each peer, every one in a process of its own and on the same inputs, so that a change of
the machine's speed meets all of them. A run reports the median and the minimum of its calls, the table the median of
these over the rounds. Let nothing else run meanwhile.

Every run is a line of JSON in --out; what it already has is not measured again, so a stopped benchmark goes on where
it was, and files can be merged by giving --report all of them.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import report

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONVOLUTIONS = ("cnn", "resnet", "dcgan", "ddpm")
# Writes the inputs of a workload as 0.npy, 1.npy, ..., in the dtypes that our model wants.
INPUTS = """
import sys
sys.path.insert(0, sys.argv[1])
import models, numpy
dtypes = {"f32": "float32", "i32": "int32", "i64": "int64"}
for number, (tensor, dtype) in enumerate(zip(models.build(sys.argv[2])[1], sys.argv[4:], strict=True)):
    numpy.save(f"{sys.argv[3]}/{number}.npy", tensor.numpy().astype(dtypes[dtype]))
"""


def usual_peers(workload):
    """Those that lead: eager PyTorch (also channels-last where there are convolutions), and compilers."""
    name = workload.removeprefix("train_")
    peers = ["torch"] + ["torch-cl"] * name.startswith(CONVOLUTIONS) + ["inductor"]
    return peers + (["jax"] if name != workload else ["onnxruntime", "openvino"])


def run(command, **options):
    """What a command prints; its last line of errors as an exception if it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    return done.stdout


def last_json(command, **options):
    return json.loads([line for line in run(command, **options).splitlines() if line.startswith("{")][-1])


class Benchmark:
    def __init__(self, args):
        self.args = args
        self.rows = report.read([args.out]) if args.out.exists() else []
        self.done = {report.key(row) for row in self.rows}
        self.file = open(args.out, "a", encoding="utf-8")
        self.ready = set()

    def add(self, row):
        self.rows.append(row)
        self.done.add(report.key(row))
        print(json.dumps(row), file=self.file, flush=True)

    def ceilings(self, number):
        """The machine's limits, once a round: its speed changes."""
        program = self.args.work / "ceiling"
        if not program.exists():
            run(["cc", "-O3", "-march=native", "-mprefer-vector-width=512", "-pthread", self.args.peers / "ceiling.c",
                 "-o", program])
        for threads in sorted({1, *self.args.threads}):
            row = {"ceiling": threads, "threads": threads, "round": number}
            if report.key(row) not in self.done:
                self.add({**last_json([program, threads]), **row})

    def prepare(self, workload):
        """Compiles ours, writes the inputs, and asks for the FLOPs and bytes of a call; once a process."""
        if workload in self.ready:
            return
        self.ready.add(workload)
        args, folder = self.args, self.args.work / workload
        folder.mkdir(exist_ok=True)
        run([args.bin / "gen-zoo", "export", workload, "-o", folder / "model.mlir"])
        start = time.perf_counter()
        run([args.bin / "gencc", folder / "model.mlir", "-o", folder / "model.so"])
        compile_s = time.perf_counter() - start
        if not (folder / "0.npy").exists():
            listed = run([args.bin / "gen-run", folder / "model.so", "--list", "--json"]).splitlines()
            entry = next(line for line in map(json.loads, listed) if line.get("entry") == "main")
            dtypes = [value["type"].split("[")[0] for value in entry["inputs"]]
            run([args.python, "-c", INPUTS, args.peers, workload, folder, *dtypes])
        info = args.cache / f"{workload}.json"
        if not info.exists():
            args.cache.mkdir(exist_ok=True)
            run([args.python, args.peers / "models.py", args.cache, workload])
        counts = json.loads(info.read_text(encoding="utf-8"))
        self.add({"workload": workload, "flops": counts["flops"], "bytes": counts["bytes"],
                  "compile_s": round(compile_s, 3), "artefact_bytes": (folder / "model.so").stat().st_size})

    def ours(self, workload, threads):
        folder = self.args.work / workload
        inputs = [f"--input={path}" for path in sorted(folder.glob("?.npy"))]
        return last_json([self.args.bin / "gen-run", folder / "model.so", "--benchmark", "--json", "--threads", threads,
                          *inputs])

    def peer(self, workload, peer, threads):
        args = self.args
        return last_json([args.python, args.peers / "run.py", "--workload", workload, "--peer", peer, "--threads", threads,
                          "--seconds", args.seconds, "--cache", args.cache], timeout=args.limit)

    def measure(self, workload, threads, number):
        args = self.args
        for peer in ["gencc", *(args.only or usual_peers(workload))]:
            row = {"workload": workload, "peer": peer, "threads": threads, "round": number}
            if report.key(row) in self.done or report.failed(self.rows, row):
                continue
            try:
                self.prepare(workload)
                got = self.ours(workload, threads) if peer == "gencc" else self.peer(workload, peer, threads)
            except (RuntimeError, IndexError, subprocess.TimeoutExpired) as error:
                got = {"failed": str(error)[-300:]}
                print(f"{workload}, {peer}: {error}", file=sys.stderr)
            self.add({**got, **row})
        print(f"{workload}, {threads} threads: round {number} of {args.rounds}", file=sys.stderr)

    def measure_all(self):
        for number in range(1, self.args.rounds + 1):
            self.ceilings(number)
            for workload in self.args.workloads:
                for threads in self.args.threads:
                    self.measure(workload, threads, number)


def known_workloads(args):
    """What both the zoo and models.py have, in the order of the latter."""
    zoo = {line.split()[0] for line in run([args.bin / "gen-zoo", "list"]).splitlines() if "benchmark:" in line}
    names = run([args.python, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import models; print(*models.WORKLOADS)",
                 args.peers]).split()
    return [name for name in names if name in zoo]


def add_places(parser):
    """What all benchmarks need to know."""
    parser.add_argument("--peers", type=pathlib.Path, default=os.environ.get("PEERS_DIR"), help="folder of run.py")
    parser.add_argument("--python", default=os.environ.get("PEERS_PYTHON"), help="interpreter that has the peers")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin", help="our programs")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/benchmark", help="folder for models, results")
    parser.add_argument("--workloads", nargs="+", metavar="NAME", help="these only")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)


def checked(parser, offline=lambda args: False):
    """The arguments, with the workloads that there are; `offline`: nothing is measured."""
    args = parser.parse_args()
    if offline(args):
        return args
    if not args.peers or not args.python:
        parser.error("expected --peers DIR and --python PYTHON (or PEERS_DIR and PEERS_PYTHON)")
    if not (args.peers / "run.py").is_file():
        sys.exit(f"error: --peers {args.peers}: there is no run.py")
    known = known_workloads(args)
    for name in args.workloads or []:
        if name not in known:
            sys.exit(f"error: --workloads {name}: expected one of {', '.join(known)}")
    args.workloads = args.workloads or known
    return args


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=pathlib.Path, nargs="+", metavar="FILE", help="measure nothing: show these results")
    add_places(parser)
    parser.add_argument("--cache", type=pathlib.Path, help="folder of the peers' exported models (WORK/peers)")
    parser.add_argument("--out", type=pathlib.Path, help="where runs are added (WORK/results.jsonl)")
    parser.add_argument("--svg", type=pathlib.Path, help="where to draw the ratios")
    parser.add_argument("--only", nargs="+", metavar="PEER", help="these peers instead of those that usually lead")
    parser.add_argument("--seconds", type=float, default=3.0, help="of timed calls in a peer's run; ours takes 3")
    parser.add_argument("--limit", type=float, default=1800, help="seconds a peer may take, its compiler included")
    args = checked(parser, offline=lambda args: args.report)
    args.cache, args.out = args.cache or args.work / "peers", args.out or args.work / "results.jsonl"
    return args


def main():
    args = parse()
    if args.report:
        rows = report.read(args.report)
    else:
        args.work.mkdir(parents=True, exist_ok=True)
        benchmark = Benchmark(args)
        benchmark.measure_all()
        rows = benchmark.rows
    print(report.markdown(rows))
    if args.svg:
        args.svg.write_text(report.svg(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
