"""What both sides of frontend-families.cpp compute exactly: the random numbers of a session, weights and examples.

Random numbers are those of `dialect/ops/Random.td`: Philox4x32-10 of the session's seed, the number of the call, the
number of the draw in the entry, and the position.
"""
import importlib
import contextlib
import io

import numpy as np
import torch

with contextlib.redirect_stdout(io.StringIO()):
    uniform = importlib.import_module("frontend-oracle").uniform

LOW = np.uint64(0xFFFFFFFF)


def philox(counter, key):
    for number in range(10):
        if number:
            key = [(k + step) & 0xFFFFFFFF for k, step in zip(key, (0x9E3779B9, 0xBB67AE85))]
        first, second = counter[0] * np.uint64(0xD2511F53), counter[2] * np.uint64(0xCD9E8D57)
        counter = [(second >> np.uint64(32)) ^ counter[1] ^ np.uint64(key[0]), second & LOW,
                   (first >> np.uint64(32)) ^ counter[3] ^ np.uint64(key[1]), first & LOW]
    return counter


class Noise:
    """The draws of one call of an entry, or of one step of a loop in it."""

    def __init__(self, counter, key=1, stream=0):
        self.counter, self.key, self.stream = counter, key, stream

    def words(self, shape):
        count = int(np.prod(shape, dtype=np.int64))
        blocks = np.arange((count + 3) // 4, dtype=np.uint64)
        same = lambda value: np.full(blocks.shape, value, np.uint64)
        words = philox([blocks, same(0), same(self.counter & 0xFFFFFFFF), same(self.stream)],
                       [self.key & 0xFFFFFFFF, self.key >> 32 & 0xFFFFFFFF])
        self.stream += 1
        return np.stack(words, 1).reshape(-1)

    def uniform(self, *shape):
        words = self.words(shape)[:int(np.prod(shape, dtype=np.int64))]
        return torch.tensor(((words >> np.uint64(8)) * 2.0**-24).astype(np.float32).reshape(shape))

    def normal(self, *shape):
        words = self.words(shape).astype(np.int64) >> 8
        radius, angle = np.sqrt(-2 * np.log((words[0::2] + 1) * 2.0**-24)), 2 * np.pi * words[1::2] * 2.0**-24
        values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
        count = int(np.prod(shape, dtype=np.int64))
        return torch.tensor(values[:count].astype(np.float32).reshape(shape))

    def bernoulli(self, probability, *shape):
        return self.uniform(*shape) < probability

    def loop(self):
        """The draws of each step of a loop: a generator."""
        low, high = (int(word) for word in self.words((2,))[:2])
        signed = lambda word: word - (word >> 31 << 32)
        key, step = (signed(high) * 2**32 + signed(low)) % 2**64, 0
        while True:
            yield Noise(step, key, self.stream)
            step += 1


def fill(net):
    """Weights by name: a matrix or more in +-1 / sqrt(elements of a row), scales near 1, others near 0."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            hashed = 2166136261
            for byte in name.encode():
                hashed = (hashed ^ byte) * 16777619 % 2**32
            shape = tuple(parameter.shape)
            values = 2 * uniform(hashed, shape) - 1
            if len(shape) > 1:
                values = values / np.sqrt(np.prod(shape[1:]))
            else:
                values = 0.05 * values + (1.0 if name.endswith("weight") else 0.0)
            parameter.copy_(torch.tensor(values.astype(np.float32)))
    return net


def images(first, count):
    """Noisy copies of ten pictures, in [0, 1], and which of them: examples `first`, ..."""
    pictures = [uniform(80 + label, (28, 28)) > 0.5 for label in range(10)]
    rows, labels = [], []
    for example in range(first, first + count):
        labels.append(int(10 * uniform(1000 + example, 1)[0]))
        rows.append(0.25 * uniform(2000 + example, (28, 28)) + 0.75 * pictures[labels[-1]])
    return torch.tensor(np.stack(rows).astype(np.float32)), torch.tensor(labels)


def text(first, count, words, length):
    """Rows that count on by 1, 2 or 3 from anywhere, and what follows each."""
    rows = []
    for example in range(first, first + count):
        start, stride = uniform(1000 + example, 2)
        rows.append([(int(words * start) + i * (1 + int(3 * stride))) % words for i in range(length + 1)])
    rows = torch.tensor(rows)
    return rows[:, :-1], rows[:, 1:]
