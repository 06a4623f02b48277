"""What PyTorch computes for the cases of frontend-norm.cpp: prints frontend-norm.inc.

python3 frontend-norm.py > frontend-norm.inc     (needs torch, on the CPU)
"""
import importlib.util
import os

import torch
from torch import nn
from torch.nn import functional as F

spec = importlib.util.spec_from_file_location("oracle", os.path.join(os.path.dirname(__file__), "frontend-oracle.py"))
oracle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(oracle)


def functions():
    for axis in (0, 1, 2):
        x, = oracle.inputs(oracle.signed(3, (2, 3, 5), 4.0))
        oracle.show_with_gradients(f"kSoftmax{axis}", F.softmax(x, axis), [x])
        oracle.show_with_gradients(f"kLogSoftmax{axis}", F.log_softmax(x, axis), [x])


def layer(name, module, shape):
    x = oracle.signed(10, shape).requires_grad_()
    for number, parameter in enumerate(module.parameters(), start=11):
        parameter.data = oracle.signed(number, tuple(parameter.shape))
    oracle.show_with_gradients(name, module(x), [x, *module.parameters()])


def running(name, module, shape):
    """Two steps of training, then inference: running statistics and the result."""
    module.train()
    for step in (1, 2):
        module(oracle.signed(20 + step, shape, 3.0))
    module.eval()
    y = module(oracle.signed(23, shape, 3.0))
    oracle.show(name, torch.cat([module.running_mean, module.running_var, module.num_batches_tracked.reshape(1).float(),
                                 y.detach().flatten()]))


if __name__ == "__main__":
    print("// Written by frontend-norm.py with PyTorch", torch.__version__.split("+")[0])
    functions()
    layer("kLayerNorm", nn.LayerNorm(7), (2, 3, 7))
    layer("kLayerNormOfTwoAxes", nn.LayerNorm((3, 7), eps=1e-2), (2, 3, 7))
    layer("kLayerNormWithoutBias", nn.LayerNorm(7, bias=False), (3, 7))
    layer("kLayerNormPlain", nn.LayerNorm(7, elementwise_affine=False), (3, 7))
    layer("kRmsNorm", nn.RMSNorm(7), (2, 3, 7))
    layer("kGroupNorm", nn.GroupNorm(2, 6), (2, 6, 3, 2))
    layer("kGroupNormPlain", nn.GroupNorm(3, 12, affine=False), (2, 12))
    layer("kBatchNorm1d", nn.BatchNorm1d(5), (4, 5))
    layer("kBatchNorm1dOfRank3", nn.BatchNorm1d(3), (4, 3, 5))
    layer("kBatchNorm2d", nn.BatchNorm2d(3), (2, 3, 4, 2))
    running("kRunning", nn.BatchNorm2d(3), (2, 3, 4, 2))
