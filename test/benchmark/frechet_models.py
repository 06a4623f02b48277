"""PyTorch's side of the zoo's models that draw images: the networks, losses and optimizers of frontend-families.py, which
test the zoo's entries, with the zoo's sizes, rates and initial values, and random numbers of PyTorch's own."""
import importlib
import pathlib
import sys
from typing import Callable, NamedTuple

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "unit"))
from families_models import ConvVae, Glow, Lenet, Nice, RealNvp, Vae

families = importlib.import_module("frontend-families")


class Noise:
    """Random numbers of no particular call of an entry."""

    def __init__(self, call=0):
        pass

    def normal(self, *shape):
        return torch.randn(shape)

    def uniform(self, *shape):
        return torch.rand(shape)

    def bernoulli(self, probability, *shape):
        return torch.rand(shape) < probability

    def loop(self):
        while True:
            yield self


class Trained:
    """What a family hands to `run`: a step on images in [0, 1] and labels, and what draws images."""

    def __init__(self, build, ema):
        families.run, families.Noise = self.take, Noise
        build()
        self.average = ema and torch.optim.swa_utils.AveragedModel(
            self.net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema))

    def take(self, name, net, step, batch, draw=None, sample=None, **options):
        self.net, self.step, self.sample = net, step, sample

    def train(self, images, labels):
        self.step(images, labels, Noise())
        if self.average:
            self.average.update_parameters(self.net)

    def draw(self, count):
        """Rows of `count` images or a few more, drawn by averaged weights where there are such."""
        if self.average:
            self.net.load_state_dict(self.average.module.state_dict())
        self.net.eval()
        images = [self.sample(Noise())]
        while len(images) * len(images[0]) < count:
            images.append(self.sample(Noise()))
        return torch.cat(images).flatten(1)


def flow(rate, net, **options):
    return lambda: families.flow("Flow", net, rate, net, **options)


class Model(NamedTuple):
    build: Callable
    steps: int
    batch: int = 128
    low: float = -1     # the value of black
    side: int = 28      # images are resized to
    ema: float = 0      # decay of averaged weights; 0: there are none
    classes: int = 0    # ten samples of each in turn; 0: it is told none


MODELS = {
    "vae": Model(lambda: families.vae("Vae", Vae(400, 20), 20, 1e-3), 2340, low=0),
    "conv_vae": Model(lambda: families.vae("ConvVae", ConvVae(32, 20), 20, 1e-3), 2340, low=0),
    "cvae": Model(lambda: families.vae("Cvae", Vae(400, 20, 10), 20, 1e-3, rows=100), 2340, low=0, classes=10),
    "nice": Model(lambda: flow(1e-3, Nice(4, 512, 4), logistic=True)(), 4680, low=0),
    "realnvp": Model(lambda: flow(5e-4, RealNvp(8, 512))(), 2340, low=0),
    "glow": Model(lambda: flow(1e-3, Glow(4, 64))(), 2340, low=0),
    "mlp_gan": Model(families.mlp_gan, 14000),
    "cgan": Model(lambda: families.cgan(2e-4), 14000, classes=10),
    "lsgan": Model(lambda: families.lsgan(2e-4), 14000),
    "wgan": Model(lambda: families.wgan(5), 40000, 64),
    "wgan_gp": Model(lambda: families.wgan_gp(1e-4, 5), 40000, 64),
    "dcgan": Model(lambda: families.dcgan(16, (64,), False, (2e-4, 1e-3)), 4000, 64, side=64),
    "sagan": Model(lambda: families.sagan(32, (4e-4, 1e-4)), 6000, 64, side=32),
    "progan": Model(lambda: families.progan(64, 500, 4e-3), 6000, 32, side=32, ema=0.99),
    "ddpm": Model(lambda: families.diffusion("Ddpm", 0, True, True, 16, 100, 10, 0.0), 9370, 64, ema=0.995),
    "guided_ddpm": Model(lambda: families.diffusion("GuidedDdpm", 10, True, True, 16, 0, 10, 0.0), 9370, 64, ema=0.995,
                         classes=10),
}
