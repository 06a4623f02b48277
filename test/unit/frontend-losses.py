"""What PyTorch computes for the cases of frontend-losses.cpp: prints frontend-losses.inc.

python3 frontend-losses.py > frontend-losses.inc     (needs torch, on the CPU)
"""
import contextlib
import importlib
import io

import torch
from torch.nn import functional as F

with contextlib.redirect_stdout(io.StringIO()):  # it prints its own cases
    oracle = importlib.import_module("frontend-oracle")

LABELS = torch.tensor([4, 0, 1, -100, 3, 0])
REDUCTIONS = (("", "none"), ("Mean", "mean"), ("Sum", "sum"))


def signed(number, shape, bound=1.0):
    return oracle.signed(number, shape, bound).requires_grad_()


def uniform(number, shape):
    return torch.tensor(oracle.uniform(number, shape).astype("float32")).requires_grad_()


def classes():
    weight = uniform(4, (5,)).detach()
    for name, options in (("Smooth", {"label_smoothing": 0.1}), ("Weight", {"weight": weight}), ("Ignore", {"ignore_index": 0}),
                          ("All", {"label_smoothing": 0.3, "weight": weight, "ignore_index": 1})):
        for suffix, reduction in REDUCTIONS:
            x = signed(3, (6, 5), 4.0)
            # PyTorch refuses labels that name no class, but for the ignored one.
            labels = torch.where(LABELS < 0, options.get("ignore_index", -100), LABELS)
            oracle.show_with_gradients(f"kCrossEntropy{name}{suffix}", F.cross_entropy(x, labels, reduction=reduction, **options), [x])
    for suffix, reduction in REDUCTIONS:
        x = signed(3, (6, 5), 4.0)
        oracle.show_with_gradients(f"kNll{suffix}", F.nll_loss(x, LABELS, weight, reduction=reduction), [x])


def numbers():
    x, t, v = signed(3, (2, 3), 4.0), uniform(4, (2, 3)), uniform(5, (2, 3))
    column = uniform(5, (2, 1))
    for name, loss, inputs in (
            ("MseSum", F.mse_loss(x, t, reduction="sum"), [x, t]),
            ("L1Elements", F.l1_loss(x, t, reduction="none"), [x, t]),
            ("Huber", F.huber_loss(x, t), [x, t]),
            ("HuberDelta", F.huber_loss(x, t, reduction="none", delta=1.7), [x, t]),
            ("SmoothL1", F.smooth_l1_loss(x, t), [x, t]),
            ("SmoothL1Beta", F.smooth_l1_loss(x, t, reduction="none", beta=1.7), [x, t]),
            ("GaussianNll", F.gaussian_nll_loss(x, t, v), [x, t, v]),
            ("GaussianNllFull", F.gaussian_nll_loss(x, t, column, full=True, eps=0.5, reduction="none"), [x, t, column])):
        oracle.show_with_gradients("k" + name, loss, inputs)


def distributions():
    x, t, = signed(3, (2, 3), 4.0), uniform(4, (2, 3))
    oracle.show_with_gradients("kKlDiv", F.kl_div(x, t), [x, t])
    oracle.show_with_gradients("kKlDivBatchMean", F.kl_div(x, t, reduction="batchmean"), [x, t])
    oracle.show_with_gradients("kKlDivLogTarget", F.kl_div(x, t, reduction="none", log_target=True), [x, t])
    three = [signed(number, (4, 3), 1.0) for number in (3, 4, 5)]
    oracle.show_with_gradients("kTripletMargin", F.triplet_margin_loss(*three), three)
    oracle.show_with_gradients("kTripletMarginSwap", F.triplet_margin_loss(*three, margin=0.5, swap=True, reduction="none"), three)


def adversarial():
    """The formulas of the papers, with PyTorch's gradients."""
    real, fake = signed(3, (6, 1), 2.0), signed(4, (6, 1), 2.0)
    oracle.show_with_gradients("kHingeDiscriminator", F.relu(1 - real).mean() + F.relu(1 + fake).mean(), [real, fake])
    oracle.show_with_gradients("kHingeGenerator", -fake.mean(), [fake])
    oracle.show_with_gradients("kWassersteinCritic", fake.mean() - real.mean(), [real, fake])


if __name__ == "__main__":
    print("// Written by frontend-losses.py with PyTorch", torch.__version__.split("+")[0])
    classes()
    numbers()
    distributions()
    adversarial()
