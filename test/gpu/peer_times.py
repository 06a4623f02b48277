"""Times of a workload on a GPU: models.py's in PyTorch as it is (eager) and torch.compile with CUDA graphs, models_jax.py's training
steps in JAX; what kernels.so has alone, in PyTorch. A line of JSON each.

    python3 peer_times.py PEERS_DIR torch|jax WORKLOAD
    python3 peer_times.py - kernels linear_gelu|attention|elements
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


def measure_kernels(name):
    """As test/target/Inputs/kernels.mlir: a product by cuBLAS and a kernel for the rest; attention by cuDNN or FlashAttention;
    a copy of as many bytes. The first two also compiled."""
    import torch
    from torch.nn import functional

    def random(*shape):
        return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)

    def linear_gelu(x, w, b):
        for _ in range(4):
            x = functional.gelu(torch.addmm(b, x, w), approximate="tanh")
        return x

    def attention(q, k, v):
        for _ in range(4):
            q = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return q

    def elements(x, y):
        return y.copy_(x)

    if name == "linear_gelu":
        function, inputs = linear_gelu, (random(4096, 4096), random(4096, 4096) / 64, random(4096))
    elif name == "attention":
        function, inputs = attention, [random(8, 2048, 16, 64).transpose(1, 2) for _ in range(3)]
    else:
        function, inputs = elements, [torch.zeros(67108864, device="cuda") for _ in range(2)]
    with torch.no_grad():
        report(name, "eager", lambda: function(*inputs), torch.cuda.synchronize)
        if name != "elements":
            compiled = torch.compile(function, mode="max-autotune")
            report(name, "torch.compile", lambda: compiled(*inputs), torch.cuda.synchronize)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    {"torch": measure_torch, "jax": measure_jax, "kernels": measure_kernels}[sys.argv[2]](sys.argv[3])
