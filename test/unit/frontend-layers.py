"""What PyTorch computes for the cases of frontend-layers.cpp: prints frontend-layers.inc.

python3 frontend-layers.py > frontend-layers.inc     (needs torch, on the CPU)
"""
import contextlib
import importlib
import io

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

with contextlib.redirect_stdout(io.StringIO()):  # it prints its own cases
    oracle = importlib.import_module("frontend-oracle")


def function(name, f, shape, bound=1.0):
    x, = oracle.inputs(oracle.signed(10, shape, bound))
    oracle.show_with_gradients(name, f(x), [x])


def layer(name, module, shape):
    """A layer on array 10, with the variables' values from arrays 11, 12, ..."""
    x, = oracle.inputs(oracle.signed(10, shape))
    for number, parameter in enumerate(module.parameters(), 11):
        parameter.data = oracle.signed(number, tuple(parameter.shape))
    oracle.show_with_gradients(name, module(x), [x, *module.parameters()])


def functions():
    function("kSelu", F.selu, (2, 7), 3.0)
    function("kHardtanh", lambda x: F.hardtanh(x, -0.5, 2.0), (2, 7), 3.0)
    function("kHardsigmoid", F.hardsigmoid, (2, 7), 6.0)
    function("kHardswish", F.hardswish, (2, 7), 6.0)
    function("kLocalResponseNorm", lambda x: F.local_response_norm(x, 3, 0.5, 0.6, 1.5), (2, 5, 3, 2), 3.0)
    function("kLocalResponseNormOfFour", lambda x: F.local_response_norm(x, 4, 0.5), (2, 5, 3), 3.0)
    function("kAdaptiveMax1d", lambda x: F.adaptive_max_pool1d(x, 3), (2, 2, 7))
    function("kAdaptiveMax2d", lambda x: F.adaptive_max_pool2d(x, (2, 3)), (2, 2, 5, 7))
    function("kAdaptiveMax3d", lambda x: F.adaptive_max_pool3d(x, 2), (1, 2, 4, 3, 2))
    function("kLinear1d", lambda x: F.interpolate(x, scale_factor=2, mode="linear"), (2, 2, 4))
    function("kBilinear", lambda x: F.interpolate(x, scale_factor=(2, 3), mode="bilinear"), (2, 2, 3, 4))
    function("kBilinearOfOne", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), (2, 2, 1, 3))


def layers():
    layer("kPrelu", nn.PReLU(), (2, 3, 4))
    layer("kPreluOfChannels", nn.PReLU(3), (2, 3, 4))
    layer("kInstanceNorm1d", nn.InstanceNorm1d(3), (2, 3, 5))
    layer("kInstanceNorm2d", nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 2))
    layer("kInstanceNorm3d", nn.InstanceNorm3d(2, 1e-2, affine=True), (2, 2, 2, 3, 2))
    layer("kBatchNorm3d", nn.BatchNorm3d(2), (2, 2, 2, 3, 2))


def spectral(name, module, shape, **options):
    """Two uses in training from given vectors, then one in inference: results, u and v, gradients of the last."""
    module = parametrizations.spectral_norm(module, **options)
    norm = module.parametrizations.weight[0]
    for number, parameter in enumerate((module.parametrizations.weight.original, module.bias), 11):
        parameter.data = oracle.signed(number, tuple(parameter.shape))
    norm._u.copy_(F.normalize(oracle.signed(21, tuple(norm._u.shape)), dim=0))
    norm._v.copy_(F.normalize(oracle.signed(22, tuple(norm._v.shape)), dim=0))
    x, = oracle.inputs(oracle.signed(10, shape))
    y = [module.train()(x), module(x)]
    y.append(module.eval()(x))
    everything = torch.cat([part.flatten() for part in (*y, norm._u, norm._v)]).detach()
    oracle.show(name, everything)
    oracle.show_with_gradients(name + "Gradients", y[-1], [x, module.parametrizations.weight.original, module.bias])


if __name__ == "__main__":
    print("// Written by frontend-layers.py with PyTorch", torch.__version__.split("+")[0])
    functions()
    layers()
    spectral("kSpectralLinear", nn.Linear(4, 3), (2, 4))
    spectral("kSpectralConv", nn.Conv2d(2, 3, 2), (1, 2, 3, 3), n_power_iterations=2)
    spectral("kSpectralTransposed", nn.ConvTranspose2d(2, 3, 2), (1, 2, 2, 3))
