"""Bits a dimension of test images under a Gaussian with full covariance: what a flow has to beat.

    python3 test/benchmark/gaussian_bits.py DIR

DIR holds Fashion-MNIST's (or MNIST's) gzipped files. The Gaussian is fitted to the logits of the training images, the
values that `gen-zoo train realnvp` works on (frontend/models/Flow.cpp): bytes with uniform noise, in [0, 1], kept
0.05 away from the ends. NumPy is needed.
"""
import gzip
import pathlib
import sys

import numpy

MARGIN = 0.05


def images(path):
    data = gzip.decompress(path.read_bytes())
    return numpy.frombuffer(data, numpy.uint8, offset=16).reshape(-1, 784)


def logits(pixels, random):
    """The values, and log |det| of the map from pixels in [0, 1] to them, a row."""
    inner = MARGIN + (1 - 2 * MARGIN) * (pixels + random.random(pixels.shape)) / 256
    slopes = numpy.log(1 - 2 * MARGIN) - numpy.log(inner) - numpy.log(1 - inner)
    return numpy.log(inner) - numpy.log(1 - inner), slopes.sum(axis=1)


def main():
    folder, random = pathlib.Path(sys.argv[1]), numpy.random.default_rng(0)
    train, _ = logits(images(folder / "train-images-idx3-ubyte.gz"), random)
    test, determinant = logits(images(folder / "t10k-images-idx3-ubyte.gz"), random)
    center, covariance = train.mean(axis=0), numpy.cov(train, rowvar=False)
    apart = test - center
    squares = (apart * numpy.linalg.solve(covariance, apart.T).T).sum(axis=1)
    volume = numpy.linalg.slogdet(covariance)[1] + 784 * numpy.log(2 * numpy.pi)
    nats = (0.5 * (squares + volume) - determinant).mean() / 784
    print(f"{nats / numpy.log(2) + 8:.3f} bits a dimension")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
