"""Matrix products of all workloads, forward and both gradients, against PyTorch's, one by one.

    python3 test/benchmark/kernels.py --peers DIR --python PYTHON [--threads 1 2] [--workloads NAME...]

Every product that fusion leaves in a kernel of a benchmark workload is compiled alone and measured in turns with
torch.matmul on matrices of the same layout: "y = x w^T" is a layer forward, "dx = dy w" and "dw = dy^T x" are its
gradients. In inference the second operand is a weight, which ours has in its own order. Other arguments are those of
peers.py. Let nothing else run meanwhile.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

import peers
import report

PRODUCT = re.compile(r"gen\.matmul %\w+( transposed)?, %\w+( transposed)?.* : \((tensor<[^>]*>), (tensor<[^>]*>)\) -> (tensor<[^>]*>)")
NAMES = {(False, False): "x w", (False, True): "x w^T", (True, False): "x^T w", (True, True): "x^T w^T"}
# Measures torch.matmul: a line of JSON in, a line of JSON out.
TORCH = """
import json, statistics, sys, time
import torch
for line in sys.stdin:
    task = json.loads(line)
    torch.set_num_threads(task["threads"])
    x, w = (torch.rand(task[name]) for name in ("lhs", "rhs"))
    views = [t.mT if flag else t for t, flag in zip((x, w), task["transposed"])]
    out, times = torch.empty(task["result"]), []
    with torch.inference_mode():
        for _ in range(task["repeat"] + 2):
            start = time.perf_counter()
            torch.matmul(*views, out=out)
            times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps({"ms_median": statistics.median(times[2:]), "ms_min": min(times[2:])}), flush=True)
"""
SETTLE = 0.2  # seconds until the threads of PyTorch sleep
Product = collections.namedtuple("Product", "lhs_transposed rhs_transposed lhs rhs result is_weight")


def shape(tensor):
    return [int(size) for size in tensor[len("tensor<"):-1].split("x")[:-1]]


def products(args, workload):
    """The static products in the kernels of a workload."""
    text = peers.run([args.bin / "gencc", args.work / workload / "model.mlir", "--emit=kernels", "-o", "-"])
    found = set()
    for match in PRODUCT.finditer(text):
        lhs_transposed, rhs_transposed = bool(match[1]), bool(match[2])
        if "?" not in match[0] and match[3].endswith("xf32>"):
            is_weight = not report.is_training(workload) and rhs_transposed and len(shape(match[4])) == 2
            found.add(Product(lhs_transposed, rhs_transposed, *match.groups()[2:], is_weight))
    return found


def flops(product):
    depth = shape(product.lhs)[-2 if product.lhs_transposed else -1]
    result = 2 * depth
    for size in shape(product.result):
        result *= size
    return result


def compile_product(args, product, name):
    flags = [" transposed" if flag else "" for flag in product[:2]]
    read = f"  %w = gen.read @w : {product.rhs}\n" if product.is_weight else ""
    arguments = f"%x: {product.lhs}" + ("" if product.is_weight else f", %w: {product.rhs}")
    variable = f"gen.variable @w : {product.rhs}\n" if product.is_weight else ""
    path = args.work / "kernels" / f"{name}.mlir"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{variable}func.func @main({arguments}) -> {product.result} {{\n{read}"
                    f"  %0 = gen.matmul %x{flags[0]}, %w{flags[1]} : ({product.lhs}, {product.rhs}) -> {product.result}\n"
                    f"  return %0 : {product.result}\n}}\n", encoding="utf-8")
    peers.run([args.bin / "gencc", path, "-o", path.with_suffix(".so")])
    return path.with_suffix(".so")


class Torch:
    def __init__(self, args):
        environment = {**os.environ, "OMP_NUM_THREADS": str(max(args.threads))}
        self.process = subprocess.Popen([args.python, "-c", TORCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)

    def measure(self, product, threads, repeat):
        task = {"lhs": shape(product.lhs), "rhs": shape(product.rhs), "result": shape(product.result),
                "transposed": product[:2], "threads": threads, "repeat": repeat}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def measure(args, torch, artefact, product, threads):
    """Medians over the rounds of the medians, and our percent of the limit."""
    repeat = max(5, min(2000, int(args.seconds * 5e10 / flops(product))))
    ours, theirs = [], []
    for _ in range(args.rounds):
        time.sleep(SETTLE)
        ours.append(peers.last_json([args.bin / "gen-run", artefact, "--benchmark", "--json", "--threads", threads,
                                     "--repeat", repeat]))
        theirs.append(torch.measure(product, threads, repeat))
    return (*(statistics.median(run["ms_median"] for run in runs) for runs in (ours, theirs)),
            statistics.median(run["percent_of_limit"] for run in ours))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peers.add_places(parser)
    parser.add_argument("--seconds", type=float, default=0.3, help="of timed calls in a run, about")
    return peers.checked(parser)


def main():
    args = parse()
    args.work.mkdir(parents=True, exist_ok=True)
    users = collections.defaultdict(list)
    for workload in args.workloads:
        (args.work / workload).mkdir(exist_ok=True)
        peers.run([args.bin / "gen-zoo", "export", workload, "-o", args.work / workload / "model.mlir"])
        for product in products(args, workload):
            users[product].append(workload)
    torch, ratios = Torch(args), collections.defaultdict(list)
    print("| product | shape | threads | gencc, ms | torch, ms | ratio | GFLOP/s | % of the limit | workloads |")
    print("|---|---|--:|--:|--:|--:|--:|--:|---|")
    for index, product in enumerate(sorted(users, key=flops, reverse=True)):
        artefact = compile_product(args, product, f"product{index}")
        for threads in args.threads:
            ours, theirs, percent = measure(args, torch, artefact, product, threads)
            ratios[threads].append((theirs / ours, index))
            kind = NAMES[product[:2]] + (", weight" if product.is_weight else "")
            sizes = " x ".join(tensor[len("tensor<"):-len("xf32>")] for tensor in (product.lhs, product.rhs))
            print(f"| {kind} | {sizes} | {threads} | {report.number(ours)} | {report.number(theirs)} | {theirs / ours:.2f} | "
                  f"{flops(product) / ours / 1e6:.0f} | {percent:.0f} | {', '.join(users[product])} |", flush=True)
    for threads, pairs in ratios.items():
        values = [ratio for ratio, _ in pairs]
        print(f"\n{threads} thread{'s' * (threads > 1)}: geometric mean {report.geometric_mean(values):.2f}, least "
              f"{min(values):.2f}; {sum(value >= 0.95 for value in values)} of {len(values)} at least 0.95", end="")
    print(f"\n\n{report.processor()}, {os.cpu_count()} processors; rounds: {args.rounds}")


if __name__ == "__main__":
    main()
