"""What PyTorch computes for the cases of frontend-convolution.cpp: prints frontend-convolution.inc.

python3 frontend-convolution.py > frontend-convolution.inc     (needs torch, on the CPU)
"""
import importlib

import torch
from torch import nn
from torch.nn import functional as F

oracle = importlib.import_module("frontend-oracle")


def layer(name, module, shape):
    """A layer on array 10, with the variables' values from arrays 11, 12, ..."""
    x = oracle.signed(10, shape).requires_grad_()
    inputs = [x]
    for parameter in module.parameters():
        parameter.data = oracle.signed(10 + len(inputs), tuple(parameter.shape))
        inputs.append(parameter)
    oracle.show_with_gradients(name, module(x), inputs)


def function(name, f, shape):
    x = oracle.signed(10, shape).requires_grad_()
    oracle.show_with_gradients(name, f(x), [x])


def layers():
    layer("kConv1d", nn.Conv1d(2, 3, 3, padding=1), (2, 2, 5))
    layer("kConv2d", nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), (1, 3), 2), (2, 4, 5, 6))
    layer("kConv3d", nn.Conv3d(2, 2, 2, bias=False), (1, 2, 3, 4, 3))
    layer("kDepthwise", nn.Conv2d(3, 3, 3, padding=1, groups=3), (2, 3, 4, 5))
    layer("kConvTranspose1d", nn.ConvTranspose1d(3, 2, 4, 2, 1), (2, 3, 4))
    layer("kConvTranspose2d", nn.ConvTranspose2d(4, 6, 3, 2, 1, (1, 0), 2), (2, 4, 3, 4))
    layer("kConvTranspose3d", nn.ConvTranspose3d(2, 2, 2, bias=False), (1, 2, 2, 3, 2))


def functions():
    function("kMaxPool1d", lambda x: F.max_pool1d(x, 3, 2, 1), (2, 2, 7))
    function("kMaxPool2d", lambda x: F.max_pool2d(x, (2, 3)), (2, 2, 5, 7))
    function("kMaxPool3d", lambda x: F.max_pool3d(x, 2), (1, 2, 4, 3, 4))
    function("kAvgPool2d", lambda x: F.avg_pool2d(x, 3, 2, 1), (2, 2, 5, 6))
    function("kAvgPool1d", lambda x: F.avg_pool1d(x, 2), (2, 2, 7))
    function("kAvgPool3d", lambda x: F.avg_pool3d(x, 2, 1, 1), (1, 2, 3, 2, 4))
    function("kAdaptive1d", lambda x: F.adaptive_avg_pool1d(x, 3), (2, 2, 7))
    function("kAdaptive3d", lambda x: F.adaptive_avg_pool3d(x, 2), (1, 2, 4, 3, 2))
    function("kAdaptive", lambda x: F.adaptive_avg_pool2d(x, (2, 3)), (2, 2, 5, 7))
    function("kUpsample", lambda x: F.interpolate(x, scale_factor=(2, 3), mode="nearest"), (2, 2, 2, 3))


print(f"// Written by frontend-convolution.py with PyTorch {torch.__version__.split('+')[0]}")
layers()
functions()
