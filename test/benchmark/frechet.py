"""Fréchet distance of samples of the zoo's models as PyTorch trains them: what `gen-zoo evaluate --judge` says of ours is
to be compared with it.

    python3 test/benchmark/frechet.py DIR LENET vae|nice|dcgan [STEPS]

DIR holds Fashion-MNIST's gzipped files, LENET is a weights file of `gen-zoo train lenet`. Settings are the zoo's (of
dcgan with real_label=0.9). Prints the distance between 10000 samples and the test images in LeNet's 84 features, and
how many of the test images LeNet tells right. PyTorch is needed.
"""
import gzip
import importlib
import json
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "unit"))
from families_gans import DcganDiscriminator, dcgan_generator
from families_models import Lenet, Nice, Vae

families = importlib.import_module("frontend-families")


def idx(path, header):
    return torch.tensor(list(gzip.decompress(path.read_bytes())[header:]), dtype=torch.uint8)


def pictures(path):
    return idx(path, 16).reshape(-1, 1, 28, 28) / 255


# Models: the size of a batch, the number of steps, a step on images in [0, 1], and what draws a number of such images.


def vae():
    net = Vae(400, 20)
    adam = torch.optim.Adam(net.parameters(), 1e-3)

    def step(x):
        x = x.flatten(1)
        mu, log_variance = net.encode(x, None)
        logits = net.decode(mu + torch.exp(0.5 * log_variance) * torch.randn_like(mu))
        loss = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = -0.5 * (1 + log_variance - mu**2 - log_variance.exp()).sum()
        families.descend(adam, (loss + divergence) / len(x))
    return 128, 2340, step, lambda count: torch.sigmoid(net.decode(torch.randn(count, 20)))


def nice():
    net = Nice(4, 512, 4)
    adam, weights = torch.optim.Adam(net.parameters(), 1e-3), list(net.parameters())

    def step(x):
        x = x.flatten(1)
        values, determinant = families.logit((255 * x + torch.rand_like(x)) / 256)
        z, more = net(values)
        nats = (F.softplus(z) + F.softplus(-z)).sum(1) - determinant - more
        families.descend(adam, nats.mean() / 784, weights, 1.0)

    def draw(count):
        u = torch.rand(count, 784).clamp(min=2.0**-25)
        return (torch.sigmoid(net.inverse(u.log() - (1 - u).log())) - 0.05) / 0.9
    return 128, 4680, step, draw


def dcgan():
    g, d = dcgan_generator(16), DcganDiscriminator(16, 64)
    for module in [*g.modules(), *d.modules()]:
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), rate, (0.5, 0.999)) for net, rate in ((g, 1e-3), (d, 2e-4)))
    score = lambda x: d.logits(d.features(x))
    disturbed = lambda x: x + 0.3 * torch.randn_like(x)

    def step(x):
        real = disturbed(2 * resized(x, 64) - 1)
        fake = disturbed(g(torch.randn(len(x), 100, 1, 1)))
        families.descend(adam_d, families.bce(score(real), 0.9) + families.bce(score(fake.detach()), 0.0))
        families.descend(adam_g, families.bce(score(fake), 1.0), list(g.parameters()))

    def draw(count):
        return (g.eval()(torch.randn(count, 100, 1, 1)) + 1) / 2
    return 64, 2000, step, draw


def batches(images, size):
    while True:
        for rows in torch.randperm(len(images))[:len(images) // size * size].split(size):
            yield images[rows]


class Judge:
    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        first = 8 + int.from_bytes(data[:8], "little")
        self.net = Lenet()
        for name, parameter in self.net.named_parameters():
            start, end = json.loads(data[8:first])["lenet." + name]["data_offsets"]
            values = torch.frombuffer(bytearray(data[first + start:first + end]), dtype=torch.float32)
            parameter.data = values.reshape(parameter.shape)

    def features(self, x):
        h = F.max_pool2d(F.relu(self.net.c1(x)), 2)
        return self.net.fc[:-1](F.max_pool2d(F.relu(self.net.c2(h)), 2).flatten(1)).double()


def distance(a, b):
    ca, cb = a.T.cov(), b.T.cov()
    roots = torch.linalg.eigvals(ca @ cb).real.clamp(min=0).sqrt().sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + ca.trace() + cb.trace() - 2 * roots


def resized(images, side):
    return F.interpolate(images, side, mode="bilinear", antialias=True)


@torch.no_grad()
def report(judge, draw, folder):
    """Test images are brought to the size of the samples first, as the zoo's data are."""
    samples = []
    for _ in range(20):
        images = draw(500).clamp(0, 1)
        side = round((images.numel() / 500) ** 0.5)
        samples.append(resized(images.reshape(500, 1, side, side), 28))
    test, labels = pictures(folder / "t10k-images-idx3-ubyte.gz"), idx(folder / "t10k-labels-idx1-ubyte.gz", 8)
    real = judge.features(resized(resized(test, side), 28))
    right = (judge.net.fc[-1](real.float()).argmax(1) == labels).float().mean()
    print(f"frechet_distance {distance(judge.features(torch.cat(samples)), real):.5g}, judge_accuracy {right:.4f}")


def main(folder, lenet, name, steps=0):
    torch.manual_seed(1)
    batch, usual, step, draw = {"vae": vae, "nice": nice, "dcgan": dcgan}[name]()
    images = batches(pictures(pathlib.Path(folder) / "train-images-idx3-ubyte.gz"), batch)
    for _ in range(int(steps) or usual):
        step(next(images))
    report(Judge(lenet), draw, pathlib.Path(folder))


if __name__ == "__main__":
    if not 4 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
