"""Fréchet distance of samples of the zoo's models as PyTorch trains them: what `gen-zoo evaluate --judge` says of ours is
to be compared with it.

    python3 test/benchmark/frechet.py DIR LENET MODEL [--steps N] [--seed N]

DIR holds Fashion-MNIST's gzipped files, LENET is a weights file of `gen-zoo train lenet`. Settings are the zoo's (of
dcgan with real_label=0.9, of ddpm and guided_ddpm with width=16 cosine=1 predict_v=1 sample_steps=10). Prints the distance
between 10000 samples and the test images in LeNet's 84 features, how many of the samples LeNet takes for what was asked,
where that was, and how many of the test images it tells right. One thread. PyTorch is needed.
"""
import argparse
import gzip
import json
import pathlib

import torch
from frechet_models import MODELS, Lenet, Trained
from torch.nn import functional as F


SAMPLES = 10000


def idx(path, header):
    return torch.frombuffer(bytearray(gzip.decompress(path.read_bytes())[header:]), dtype=torch.uint8)


def dataset(folder, part):
    """Images [count, 1, 28, 28] in [0, 1], and their labels."""
    images = idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) / 255
    return images, idx(folder / f"{part}-labels-idx1-ubyte.gz", 8).long()


def resized(images, side):
    return images if images.shape[-1] == side else F.interpolate(images, side, mode="bilinear", antialias=True)


def batches(images, labels, model):
    while True:
        for rows in torch.randperm(len(images))[:len(images) // model.batch * model.batch].split(model.batch):
            yield resized(images[rows], model.side)[:, 0], labels[rows]


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
        return self.net.fc[:-1](F.max_pool2d(F.relu(self.net.c2(h)), 2).flatten(1))

    def share(self, features, labels):
        return (self.net.fc[-1](features).argmax(1) == labels).float().mean()


def distance(a, b):
    a, b = a.double(), b.double()
    ca, cb = a.T.cov(), b.T.cov()
    roots = torch.linalg.eigvals(ca @ cb).real.clamp(min=0).sqrt().sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + ca.trace() + cb.trace() - 2 * roots


@torch.no_grad()
def report(judge, model, trained, images, labels):
    """Test images are brought to the size of the samples first, as the zoo's data are."""
    samples = (trained.draw(SAMPLES)[:SAMPLES] - model.low) / (1 - model.low)
    drawn = judge.features(resized(samples.clamp(0, 1).reshape(-1, 1, model.side, model.side), 28))
    real = judge.features(resized(resized(images, model.side), 28))
    figures = f"{SAMPLES} samples: frechet_distance {distance(drawn, real):.5g}"
    if model.classes:
        asked = torch.arange(SAMPLES) // 10 % model.classes
        figures += f", as_asked {judge.share(drawn, asked):.4g}"
    print(f"{figures}, judge_accuracy {judge.share(real, labels):.4g}")


def main(folder, lenet, name, steps=None, seed=1):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = MODELS[name]
    trained, examples = Trained(model.build, model.ema), batches(*dataset(folder, "train"), model)
    for _ in range(steps or model.steps):
        trained.train(*next(examples))
    report(Judge(lenet), model, trained, *dataset(folder, "t10k"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("lenet")
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    main(**vars(parser.parse_args()))
