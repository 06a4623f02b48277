"""Times of a workload on a GPU: models.py's in PyTorch as it is (eager) and torch.compile with CUDA graphs, models_jax.py's training
steps in JAX. A line of JSON each.

    python3 peer_times.py PEERS_DIR torch|jax WORKLOAD
"""
import json
import sys
import time

LEAST_SECONDS, LEAST_CALLS, MOST_CALLS = 3, 5, 10000


def report(workload, kind, call, wait):
    """Of a call, each waited for, as gen-run --benchmark measures."""
    for _ in range(5):
        call()
    wait()
    times, begin = [], time.perf_counter()
    while len(times) < LEAST_CALLS or (time.perf_counter() - begin < LEAST_SECONDS and len(times) < MOST_CALLS):
        start = time.perf_counter()
        call()
        wait()
        times.append(1e3 * (time.perf_counter() - start))
    times.sort()
    print(json.dumps({"workload": workload, "of": kind, "ms_min": times[0], "ms_median": times[len(times) // 2]}), flush=True)


def measure_torch(name):
    import torch
    import models
    if name not in models.WORKLOADS:
        print(f"SKIPPED: PyTorch has no {name}")
        return
    for kind in ("eager", "torch.compile"):
        module, inputs = models.build(name)
        module, inputs = module.cuda(), [x.cuda() for x in inputs]
        function = torch.compile(module, mode="reduce-overhead") if kind != "eager" else module
        try:
            with torch.set_grad_enabled(name in models.TRAINING):
                report(name, kind, lambda: function(*inputs), torch.cuda.synchronize)
        except Exception as error:  # a compiler's refusal is a result, too
            print(f"SKIPPED: {kind} of {name}: {str(error).splitlines()[0]}")


def measure_jax(name):
    import jax
    import models_jax
    if name not in models_jax.NAMES:
        print(f"SKIPPED: JAX has no {name}")
        return
    step, state, batch = models_jax.build(name)
    step, batch = jax.jit(step, donate_argnums=0), jax.device_put(batch)

    def call():
        nonlocal state
        state, _ = step(state, *batch)

    report(name, "jax", call, lambda: jax.block_until_ready(state))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    {"torch": measure_torch, "jax": measure_jax}[sys.argv[2]](sys.argv[3])
