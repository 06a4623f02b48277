"""What PyTorch computes for the cases of frontend-optimizers.cpp: prints frontend-optimizers.inc.

python3 frontend-optimizers.py > frontend-optimizers.inc     (needs torch, on the CPU)

Optimizers that PyTorch has not are here the formulas of their papers, in NumPy.
"""
import contextlib
import importlib
import io

import numpy as np
import torch
from torch import optim
from torch.optim import lr_scheduler as lrs

with contextlib.redirect_stdout(io.StringIO()):  # it prints its own cases
    oracle = importlib.import_module("frontend-oracle")

STEPS = 50
SHAPES = ((4,), (2, 3))


def start():
    """The weights, of two shapes, and the curvature of the loss along each."""
    flat = oracle.signed(1, (10,)).double(), 0.5 + torch.tensor(oracle.uniform(2, (10,)).astype(np.float32)).double()
    return [[part.reshape(shape).clone() for part, shape in zip(x.split((4, 6)), SHAPES)] for x in flat]


def targets(step):
    x = oracle.signed(100 + step, (10,)).double()
    return [part.reshape(shape) for part, shape in zip(x.split((4, 6)), SHAPES)]


def descend(name, make, change=lambda weights: None, accumulate=1, average=None, schedule=None):
    """The weights after every tenth of 50 steps down sum(c (w - x)^2), where each step has other targets x."""
    weights, curvatures = start()
    weights = [w.requires_grad_() for w in weights]
    optimizer, path = make(weights), []
    scheduler = schedule(optimizer) if schedule else None
    for step in range(STEPS):
        loss = sum((c * (w - x) ** 2).sum() for w, c, x in zip(weights, curvatures, targets(step)))
        (loss / accumulate).backward()
        if (step + 1) % accumulate == 0:
            change(weights)
            optimizer.step()
            if scheduler:
                scheduler.step()
            optimizer.zero_grad()
        if average:
            average.update_parameters(torch.nn.ParameterList(weights))
        if (step + 1) % 10 == 0:
            shown = average.module.parameters() if average else weights
            path += [v for w in shown for v in w.detach().flatten().tolist()]
    oracle.show(name, path)


def descend_numpy(name, step_of):
    """The same by a function of (weight, gradient, state, number of the step) to the next weight."""
    weights, curvatures = ([w.numpy() for w in part] for part in start())
    states, path = [{} for _ in weights], []
    for step in range(STEPS):
        for i, x in enumerate(targets(step)):
            g = 2 * curvatures[i] * (weights[i] - x.numpy())
            weights[i] = step_of(weights[i], g, states[i], step + 1)
        if (step + 1) % 10 == 0:
            path += [v for w in weights for v in w.flatten().tolist()]
    oracle.show(name, path)


def lars(rate=0.5, momentum=0.9, decay=0.01, trust=0.02):  # You et al. 2017, algorithm 1
    def step(w, g, state, _):
        local = trust * np.linalg.norm(w) / (np.linalg.norm(g) + decay * np.linalg.norm(w))
        state["b"] = momentum * state.get("b", 0) + rate * local * (g + decay * w)
        return w - state["b"]
    return step


def lamb(rate=0.02, beta1=0.9, beta2=0.99, epsilon=1e-6, decay=0.01):  # You et al. 2020, algorithm 2
    def step(w, g, state, t):
        state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
        state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g * g
        r = state["m"] / (1 - beta1**t) / (np.sqrt(state["v"] / (1 - beta2**t)) + epsilon)
        u = r + decay * w
        return w - rate * np.linalg.norm(w) / np.linalg.norm(u) * u
    return step


def ftrl(alpha=0.1, beta=0.5, l1=0.05, l2=0.01, first=0.1):  # McMahan et al. 2013, algorithm 1
    def step(w, g, state, _):
        n, z = state.get("n", np.full_like(w, first)), state.get("z", np.zeros_like(w))
        sigma = (np.sqrt(n + g * g) - np.sqrt(n)) / alpha
        z, n = z + g - sigma * w, n + g * g
        state["z"], state["n"] = z, n
        return np.where(np.abs(z) <= l1, 0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2))
    return step


def lion(rate=0.01, beta1=0.9, beta2=0.99, decay=0.1):  # Chen et al. 2023, algorithm 2
    def step(w, g, state, _):
        m = state.get("m", 0)
        state["m"] = beta2 * m + (1 - beta2) * g
        return w - rate * (np.sign(beta1 * m + (1 - beta1) * g) + decay * w)
    return step


def schedules():
    """The factors of steps 0, 1, ..., 39 on a learning rate of 1."""
    one = lambda: optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    warm = lambda o, n: lrs.LinearLR(o, 1 / n, 1, n - 1)
    for name, make in (
            ("Constant", lambda o: lrs.ConstantLR(o, 0.25, 100)),
            ("Step", lambda o: lrs.StepLR(o, 7, 0.5)),
            ("Exponential", lambda o: lrs.ExponentialLR(o, 0.9)),
            ("Linear", lambda o: lrs.LinearLR(o, 0.2, 0.8, 25)),
            ("Cosine", lambda o: lrs.CosineAnnealingLR(o, 39, 0.05)),
            ("OneCycle", lambda o: lrs.OneCycleLR(o, 1.0, 40)),
            ("WarmUp", lambda o: lrs.SequentialLR(o, [warm(o, 10), lrs.CosineAnnealingLR(o, 30)], [10])),
            ("InverseSqrt", lambda o: lrs.LambdaLR(o, lambda t: 12**0.5 * min((t + 1) ** -0.5, (t + 1) * 12**-1.5)))):
        optimizer, factors = one(), []
        scheduler = make(optimizer)
        for _ in range(40):
            factors.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        oracle.show("kSchedule" + name, factors)


def optimizers():
    sgd = lambda w: optim.SGD(w, 0.05, momentum=0.9)
    descend("kSgdDecay", lambda w: optim.SGD(w, 0.05, weight_decay=0.1))
    descend("kSgdMomentum", lambda w: optim.SGD(w, 0.05, momentum=0.9, weight_decay=0.1))
    descend("kNesterov", lambda w: optim.SGD(w, 0.05, momentum=0.9, nesterov=True))
    descend("kAdamDecay", lambda w: optim.Adam(w, 0.05, (0.8, 0.99), 1e-6, weight_decay=0.1))
    descend("kAdamW", lambda w: optim.AdamW(w, 0.05, (0.8, 0.99), 1e-6, weight_decay=0.1))
    descend("kAdagrad", lambda w: optim.Adagrad(w, 0.1, weight_decay=0.1, initial_accumulator_value=0.1))
    descend("kRmsprop", lambda w: optim.RMSprop(w, 0.01, 0.9, weight_decay=0.1))
    descend("kRmspropCentered", lambda w: optim.RMSprop(w, 0.01, 0.9, 1e-3, momentum=0.8, centered=True))
    descend_numpy("kLars", lars())
    descend_numpy("kLamb", lamb())
    descend_numpy("kFtrl", ftrl())
    descend_numpy("kLion", lion())
    descend("kClipNorm", sgd, lambda w: torch.nn.utils.clip_grad_norm_(w, 0.5))
    descend("kClipValue", sgd, lambda w: torch.nn.utils.clip_grad_value_(w, 0.3))
    descend("kAccumulated", lambda w: optim.Adam(w, 0.05), lambda w: torch.nn.utils.clip_grad_norm_(w, 1.0), accumulate=3)
    descend("kScheduled", lambda w: optim.AdamW(w, 0.05), schedule=lambda o: lrs.CosineAnnealingLR(o, 60))
    average = torch.optim.swa_utils.AveragedModel(torch.nn.ParameterList(start()[0]),
                                                  multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    descend("kAveraged", sgd, average=average)


if __name__ == "__main__":
    print("// Written by frontend-optimizers.py with PyTorch", torch.__version__.split("+")[0])
    optimizers()
    schedules()
