"""Times of a workload of models.py on a GPU: PyTorch as it is (eager), and torch.compile with CUDA graphs. A line of JSON each.

    python3 torch_times.py PEERS_DIR WORKLOAD
"""
import json
import sys
import time

sys.path.insert(0, sys.argv[1])

import torch

import models

LEAST_SECONDS, LEAST_CALLS, MOST_CALLS = 3, 5, 10000


def milliseconds(call):
    """Of a call, each waited for, as gen-run --benchmark measures."""
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    times, begin = [], time.perf_counter()
    while len(times) < LEAST_CALLS or (time.perf_counter() - begin < LEAST_SECONDS and len(times) < MOST_CALLS):
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)


def main():
    name = sys.argv[2]
    if name not in models.WORKLOADS:
        print(f"SKIPPED: PyTorch has no {name}")
        return
    for kind in ("eager", "torch.compile"):
        module, inputs = models.build(name)
        module, inputs = module.cuda(), [x.cuda() for x in inputs]
        function = torch.compile(module, mode="reduce-overhead") if kind != "eager" else module
        training = name in models.TRAINING
        try:
            with torch.set_grad_enabled(training):
                times = milliseconds(lambda: function(*inputs))
        except Exception as error:  # a compiler's refusal is a result, too
            print(f"SKIPPED: {kind} of {name}: {str(error).splitlines()[0]}")
            continue
        print(json.dumps({"workload": name, "of": kind, "ms_min": times[0], "ms_median": times[len(times) // 2]}), flush=True)


if __name__ == "__main__":
    main()
