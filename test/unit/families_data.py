"""What both sides of frontend-families.cpp compute exactly: the random numbers of a session, weights and examples.

Random numbers are those of `dialect/ops/Random.td`: Philox4x32-10 of the session's seed, the number of the call, the
number of the draw in the entry, and the position.
"""
import importlib
import contextlib
import io

import numpy as np
import torch
from torch.nn import functional as F

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


def real(values):
    """Of the default type."""
    return values.to(torch.get_default_dtype())


def tensor(values):
    """Rounded to f32, of the default type."""
    return real(torch.tensor(values.astype(np.float32)))


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
        return tensor(((words >> np.uint64(8)) * 2.0**-24).reshape(shape))

    def normal(self, *shape):
        words = self.words(shape).astype(np.int64) >> 8
        radius, angle = np.sqrt(-2 * np.log((words[0::2] + 1) * 2.0**-24)), 2 * np.pi * words[1::2] * 2.0**-24
        values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
        count = int(np.prod(shape, dtype=np.int64))
        return tensor(values[:count].reshape(shape))

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


def fill(net, scaled=False):
    """Weights by name: a matrix or more in +-1 / sqrt(elements of a row), or of variance 1 where the network
    scales them itself, scales near 1, biases and others near 0; vectors of spectral norms are of length 1."""
    vectors = [(name, vector) for name, vector in net.named_buffers() if name.endswith(("._u", "._v"))]
    with torch.no_grad():
        for name, parameter in [*net.named_parameters(), *vectors]:
            name = name.replace("parametrizations.weight.original", "weight")
            hashed = 2166136261
            for byte in name.encode():
                hashed = (hashed ^ byte) * 16777619 % 2**32
            shape = tuple(parameter.shape)
            values = 2 * uniform(hashed, shape) - 1
            if len(shape) > 1 and not name.endswith("bias"):
                values = values / np.sqrt(1 / 3 if scaled else np.prod(shape[1:]))
            else:
                values = 0.05 * values + (1.0 if name.endswith("weight") else 0.0)
            parameter.copy_(tensor(np.asarray(values)))
        for name, vector in vectors:
            vector.copy_(F.normalize(vector, dim=0))
    return net


def label(example, count=10):
    return int(10 * uniform(1000 + example, 1)[0]) % count


def images(first, count, side=28):
    """Noisy copies of ten pictures, in [0, 1], and which of them: examples `first`, ..."""
    pictures = [uniform(80 + number, (side, side)) > 0.5 for number in range(10)]
    examples = range(first, first + count)
    rows = [0.25 * uniform(2000 + i, (side, side)) + 0.75 * pictures[label(i)] for i in examples]
    return tensor(np.stack(rows)), torch.tensor([label(i) for i in examples])


def text(first, count, words, length, parts=2):
    """Rows that count on by 1, 2 or 3 from anywhere, and what follows each, and so on."""
    rows = []
    for example in range(first, first + count):
        start, stride = uniform(1000 + example, 2)
        rows.append([(int(words * start) + i * (1 + int(3 * stride))) % words for i in range(length + parts - 1)])
    rows = torch.tensor(rows)
    return [rows[:, part:part + length] for part in range(parts)]


def sentences(first, count, words, length):
    """Such rows, of which half is another sentence, and whether that follows."""
    ids, = text(first, count, words, length, 1)
    segments = (torch.arange(length) >= length // 2).long().expand(count, -1)
    return ids, segments, torch.tensor([label(i, 2) for i in range(first, first + count)])
