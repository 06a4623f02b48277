"""Our compiled models against other compilers, measured in turns: prints a table in Markdown.

    python3 test/benchmark/peers.py --peers DIR --python PYTHON

DIR holds the peer benchmarks (run.py, which measures one peer on one workload and prints a line of JSON), PYTHON is
the interpreter of an environment in which their requirements are installed; PEERS_DIR and PEERS_PYTHON say the same.
For every workload and number of threads, each round runs ours and then each peer, every one in a process of its own,
so that a change of the machine's speed meets all of them. A run reports the median and the minimum of its calls, the
table the median of these over the rounds. Let nothing else run meanwhile.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = {
    "train_vae_b128": ["torch", "inductor"],
    "train_mlp_gan_b128": ["torch", "inductor"],
    "vae_decode_b128": ["torch", "inductor", "onnxruntime", "openvino"],
    "mlp_gan_g_b128": ["torch", "inductor", "onnxruntime", "openvino"],
}


def last_json(command, **options):
    """The last line of JSON that a command prints; its last line of errors as an exception if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def compile_model(args, workload):
    mlir, artefact = args.work / f"{workload}.mlir", args.work / f"{workload}.so"
    subprocess.run([args.bin / "gen-zoo", "export", workload, "-o", mlir], check=True)
    subprocess.run([args.bin / "gencc", mlir, "-o", artefact], check=True)
    return artefact


def run_ours(args, workload, threads):
    artefact = args.work / f"{workload}.so"
    return last_json([args.bin / "gen-run", artefact, "--benchmark", "--json", "--threads", str(threads)])


def run_peer(args, workload, peer, threads):
    return last_json([args.python, args.peers / "run.py", "--workload", workload, "--peer", peer, "--threads",
                      str(threads), "--seconds", str(args.seconds), "--cache", args.work / "peers"])


def measure(args, workload, threads):
    """The runs of each competitor: {name: [JSON, ...]}."""
    runs, failed = {"gencc": []}, set()
    for number in range(args.rounds):
        runs["gencc"].append(run_ours(args, workload, threads))
        for peer in args.only or PEERS[workload]:
            if peer in failed:
                continue
            try:
                runs.setdefault(peer, []).append(run_peer(args, workload, peer, threads))
            except (RuntimeError, IndexError) as error:
                failed.add(peer)
                print(f"{workload}, {peer}: {error}", file=sys.stderr)
        print(f"{workload}, {threads} threads: round {number + 1} of {args.rounds}", file=sys.stderr)
    return runs


def figure(runs, key):
    return statistics.median(run[key] for run in runs)


def number(milliseconds):
    return f"{milliseconds:.3g}" if milliseconds < 100 else f"{milliseconds:.0f}"


def row(workload, threads, runs):
    """One line of the table: ratios are the best peer's time over ours, more than 1 where ours is faster."""
    ours, peers = runs["gencc"], {peer: values for peer, values in runs.items() if peer != "gencc"}
    cells = [f"`{workload}`", str(threads), number(figure(ours, "ms_median"))]
    if not peers:
        return cells + ["", "", "", ""]
    best = min(peers, key=lambda peer: figure(peers[peer], "ms_median"))
    ratios = [min(figure(values, key) for values in peers.values()) / figure(ours, key)
              for key in ("ms_median", "ms_min")]
    others = ", ".join(f"{peer} {number(figure(values, 'ms_median'))}" for peer, values in peers.items() if peer != best)
    return cells + [f"{best} {number(figure(peers[best], 'ms_median'))}", *(f"{ratio:.2f}" for ratio in ratios), others]


def processor():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=pathlib.Path, default=os.environ.get("PEERS_DIR"), help="folder of run.py")
    parser.add_argument("--python", default=os.environ.get("PEERS_PYTHON"), help="interpreter that has the peers")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin", help="our programs")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/benchmark", help="folder for models, results")
    parser.add_argument("--workloads", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--only", nargs="+", metavar="PEER", help="these peers instead of those that usually lead")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of timed calls in a peer's run; ours takes 3")
    args = parser.parse_args()
    if not args.peers or not args.python:
        parser.error("expected --peers DIR and --python PYTHON (or PEERS_DIR and PEERS_PYTHON)")
    if not (args.peers / "run.py").is_file():
        sys.exit(f"error: --peers {args.peers}: there is no run.py")
    return args


def main():
    args = parse()
    args.work.mkdir(parents=True, exist_ok=True)
    head = ["workload", "threads", "gencc, ms", "best peer, ms", "ratio of medians", "ratio of minima", "others, ms"]
    lines = ["| " + " | ".join(head) + " |", "|---|--:|--:|---|--:|--:|---|"]
    with open(args.work / "results.jsonl", "w", encoding="utf-8") as results:
        for workload in args.workloads:
            compile_model(args, workload)
            for threads in args.threads:
                runs = measure(args, workload, threads)
                for name, values in runs.items():
                    for value in values:
                        print(json.dumps({**value, "workload": workload, "peer": name, "threads": threads}),
                              file=results, flush=True)
                lines.append("| " + " | ".join(row(workload, threads, runs)) + " |")
    print("\n".join(lines))
    print(f"\n{processor()}, {os.cpu_count()} processors; rounds: {args.rounds}")


if __name__ == "__main__":
    main()
