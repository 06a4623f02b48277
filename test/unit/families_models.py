"""PyTorch's side of the families of frontend-families.cpp: modules with the names of the zoo's variables."""
import math

import torch
from families_data import real
from torch import nn
from torch.nn import functional as F


def named(**modules):
    return nn.ModuleDict(modules)


def mlp(sizes, activation=nn.ReLU, last=()):
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers[:-1], *last)


class Lenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc = mlp([400, 120, 84, 10])

    def forward(self, x, noise):
        h = F.max_pool2d(F.relu(self.c1(x)), 2)
        return self.fc(F.max_pool2d(F.relu(self.c2(h)), 2).flatten(1))


class Alexnet(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, w, 5, padding=2), nn.Conv2d(w, 2 * w, 5, padding=2)
        self.c3, self.c4 = nn.Conv2d(2 * w, 3 * w, 3, padding=1), nn.Conv2d(3 * w, 3 * w, 3, padding=1)
        self.c5 = nn.Conv2d(3 * w, 2 * w, 3, padding=1)
        self.fc1, self.fc2, self.fc3 = nn.Linear(8 * w, 16 * w), nn.Linear(16 * w, 16 * w), nn.Linear(16 * w, 10)

    def forward(self, x, noise):
        drop = lambda h: torch.where(noise.bernoulli(0.5, *h.shape), h * 2, torch.zeros(()))
        respond = nn.LocalResponseNorm(5, 5e-4, 0.75, 2)
        h = F.max_pool2d(respond(F.relu(self.c1(x))), 3, 2)
        h = F.max_pool2d(respond(F.relu(self.c2(h))), 3, 2)
        h = F.max_pool2d(F.relu(self.c5(F.relu(self.c4(F.relu(self.c3(h)))))), 3, 2)
        h = F.relu(self.fc1(drop(h.flatten(1))))
        return self.fc3(F.relu(self.fc2(drop(h))))


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.c2, self.b2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        change = [nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b)] if stride != 1 or a != b else []
        self.skip = nn.Sequential(*change)

    def forward(self, x):
        return F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))) + self.skip(x))


class Resnet(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.stem, self.bn = nn.Conv2d(1, w, 3, padding=1, bias=False), nn.BatchNorm2d(w)
        self.blocks = nn.Sequential(Block(w, w, 1), Block(w, 2 * w, 2), Block(2 * w, 4 * w, 2))
        self.fc = nn.Linear(4 * w, 10)

    def forward(self, x, noise):
        return self.fc(self.blocks(F.relu(self.bn(self.stem(x)))).mean((2, 3)))


class Vae(nn.Module):
    def __init__(self, hidden, latent, classes=0):
        super().__init__()
        self.classes = classes
        self.fc1, self.mean = nn.Linear(784 + classes, hidden), nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.fc2, self.out = nn.Linear(latent + classes, hidden), nn.Linear(hidden, 784)

    def told(self, x, labels):
        return torch.cat([x, real(F.one_hot(labels, self.classes))], 1) if self.classes else x

    def encode(self, x, labels):
        h = F.relu(self.fc1(self.told(x, labels)))
        return self.mean(h), self.log_variance(h)

    def decode(self, z, labels=None):
        return self.out(F.relu(self.fc2(self.told(z, labels))))


class ConvVae(nn.Module):
    def __init__(self, w, latent, gaussian=False):
        super().__init__()
        self.w = w
        self.c1, self.c2 = nn.Conv2d(1, w, 4, 2, 1), nn.Conv2d(w, 2 * w, 4, 2, 1)
        self.mean, self.log_variance = nn.Linear(98 * w, latent), nn.Linear(98 * w, latent)
        self.fc = nn.Linear(latent, 98 * w)
        self.t1, self.t2 = nn.ConvTranspose2d(2 * w, w, 4, 2, 1), nn.ConvTranspose2d(w, 1, 4, 2, 1)
        if gaussian:
            self.log_variance_x = nn.Parameter(torch.zeros(1))

    def encode(self, x, labels):
        h = F.relu(self.c2(F.relu(self.c1(x.reshape(-1, 1, 28, 28))))).flatten(1)
        return self.mean(h), self.log_variance(h)

    def decode(self, z, labels=None):
        h = F.relu(self.fc(z)).reshape(-1, 2 * self.w, 7, 7)
        return self.t2(F.relu(self.t1(h))).flatten(1)


class RealNvp(nn.ModuleList):
    def __init__(self, count, hidden):
        super().__init__([mlp([784, hidden, hidden, 1568]) for _ in range(count)])
        row, column = torch.arange(784) // 28, torch.arange(784) % 28
        masks = [(row + column) % 2 == 0, row < 14]
        self.masks = [real(masks[i % 4 // 2] == (i % 2 == 0)) for i in range(count)]

    def parts(self, i, x):
        s, t = self[i](x * self.masks[i]).chunk(2, 1)
        return torch.tanh(s) * (1 - self.masks[i]), t * (1 - self.masks[i])

    def forward(self, z):
        total = 0
        for i in range(len(self)):
            s, t = self.parts(i, z)
            z, total = z * s.exp() + t, total + s.sum(1)
        return z, total

    def inverse(self, z):
        for i in reversed(range(len(self))):
            s, t = self.parts(i, z)
            z = (z - t) * (-s).exp()
        return z


class Nice(nn.Module):
    def __init__(self, count, hidden, depth):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(784))
        self.couplings = nn.ModuleList(mlp([392] + depth * [hidden] + [392]) for _ in range(count))

    def forward(self, x):
        kept, changed = x[:, 0::2], x[:, 1::2]
        for net in self.couplings:
            kept, changed = changed + net(kept), kept
        return torch.cat([kept, changed], 1) * self.log_scale.exp(), self.log_scale.sum()

    def inverse(self, z):
        kept, changed = (z * (-self.log_scale).exp()).chunk(2, 1)
        for net in reversed(self.couplings):
            kept, changed = changed, kept - net(changed)
        return torch.stack([kept, changed], 2).flatten(1)


def random_64(seed):
    """std::mt19937_64: a generator."""
    mask, state = 2**64 - 1, [seed]
    for i in range(1, 312):
        state.append((6364136223846793005 * (state[-1] ^ state[-1] >> 62) + i) & mask)
    for i in range(312):
        x = (state[i] & 0xFFFFFFFF80000000) | (state[(i + 1) % 312] & 0x7FFFFFFF)
        state[i] = x = state[(i + 156) % 312] ^ x >> 1 ^ (0xB5026F5AA96619E9 if x & 1 else 0)
        x ^= x >> 29 & 0x5555555555555555
        x ^= x << 17 & 0x71D67FFFEDA60000
        x ^= x << 37 & 0xFFF7EEE000000000
        yield (x ^ x >> 43) & mask


class ActNorm(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.log_scale, self.bias = (nn.Parameter(torch.zeros(1, c, 1, 1)) for _ in range(2))
        self.initialized = False

    def forward(self, x):
        if not self.initialized:
            center = x.detach().mean((0, 2, 3), keepdim=True)
            self.bias.data = -center
            deviation = ((x.detach() - center) ** 2).mean((0, 2, 3), keepdim=True).sqrt()
            self.log_scale.data, self.initialized = -(deviation + 1e-6).log(), True
        return (x + self.bias) * self.log_scale.exp(), x[0, 0].numel() * self.log_scale.sum()

    def inverse(self, z):
        return z * (-self.log_scale).exp() - self.bias


class Mix(nn.Module):
    def __init__(self, c, seed):
        super().__init__()
        random, rows = random_64(seed), []
        for _ in range(c):
            row = torch.tensor([(next(random) >> 11) * 2.0**-52 - 1 for _ in range(c)], dtype=torch.float64)
            for other in rows:
                row = row - (row @ other) * other
            rows.append(row / row.norm())
        self.p, l, u = torch.linalg.lu(torch.stack(rows))
        self.p, self.l0, self.u0 = real(self.p), real(l), real(u.triu(1))
        self.s0, self.sign = real(u.diag().abs().log()), real(u.diag().sign())
        self.lower, self.upper = (nn.Parameter(torch.zeros(c, c)) for _ in range(2))
        self.log_scale = nn.Parameter(torch.zeros(c))

    def matrix(self):
        s = self.sign * (self.s0 + self.log_scale).exp()
        return self.p @ (self.l0 + self.lower.tril(-1)) @ (self.u0 + self.upper.triu(1) + s.diag())

    def forward(self, x):
        return F.conv2d(x, self.matrix()[:, :, None, None]), x[0, 0].numel() * (self.s0 + self.log_scale).sum()

    def inverse(self, z):
        return F.conv2d(z, self.matrix().inverse()[:, :, None, None])


class Coupling(nn.Module):
    def __init__(self, c, hidden):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(c // 2, hidden, 3, padding=1), nn.Conv2d(hidden, hidden, 1)
        self.c3 = nn.Conv2d(hidden, c, 3, padding=1)
        nn.init.zeros_(self.c3.weight)

    def parts(self, kept):
        s, t = self.c3(F.relu(self.c2(F.relu(self.c1(kept))))).chunk(2, 1)
        return 2 * torch.tanh(s / 2), t

    def forward(self, x):
        kept, changed = x.chunk(2, 1)
        s, t = self.parts(kept)
        return torch.cat([kept, (changed + t) * s.exp()], 1), s.sum((1, 2, 3))

    def inverse(self, z):
        kept, changed = z.chunk(2, 1)
        s, t = self.parts(kept)
        return torch.cat([kept, changed * (-s).exp() - t], 1)


class Glow(nn.Module):
    def __init__(self, steps, hidden):
        super().__init__()
        self.levels = nn.ModuleList(nn.ModuleList(
            nn.ModuleDict({"norm": ActNorm(c), "mix": Mix(c, 2 * i + level), "coupling": Coupling(c, hidden)})
            for i in range(steps)) for level, c in enumerate((4, 8)))

    def forward(self, x):
        total, early = 0, None
        x = F.pixel_unshuffle(x.reshape(-1, 1, 28, 28), 2)
        for number, level in enumerate(self.levels):
            if number:
                early, x = x.chunk(2, 1)
                x = F.pixel_unshuffle(x, 2)
            for step in level:
                for part in step.values():
                    x, more = part(x)
                    total = total + more
        return torch.cat([early.flatten(1), x.flatten(1)], 1), total

    def inverse(self, z):
        early, x = z.chunk(2, 1)
        x = x.reshape(-1, 8, 7, 7)
        for number in (1, 0):
            for step in reversed(self.levels[number]):
                for part in reversed(list(step.values())):
                    x = part.inverse(x)
            x = F.pixel_shuffle(x, 2)
            if number:
                x = torch.cat([early.reshape(-1, 2, 14, 14), x], 1)
        return x.flatten(1)


class Residual(nn.Module):
    def __init__(self, a, b, embedding, groups=8):
        super().__init__()
        self.n1, self.c1 = nn.GroupNorm(groups, a), nn.Conv2d(a, b, 3, padding=1)
        self.emb, self.n2, self.c2 = nn.Linear(embedding, b), nn.GroupNorm(groups, b), nn.Conv2d(b, b, 3, padding=1)
        self.skip = nn.Conv2d(a, b, 1) if a != b else nn.Identity()

    def forward(self, x, e):
        h = self.c1(F.silu(self.n1(x))) + self.emb(F.silu(e))[:, :, None, None]
        return self.skip(x) + self.c2(F.silu(self.n2(h)))


class Attention(nn.Module):
    def __init__(self, c, groups=8):
        super().__init__()
        self.norm, self.qkv, self.out = nn.GroupNorm(groups, c), nn.Conv2d(c, 3 * c, 1), nn.Conv2d(c, c, 1)

    def forward(self, x, e):
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, 2)
        y = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(y.transpose(1, 2).reshape(x.shape))


class Unet(nn.Module):
    """One block a level, attention at 7 x 7 pixels; numbers as of a list with layers without variables."""

    def __init__(self, c, classes=0):
        super().__init__()
        self.c, e = c, 4 * c
        self.time = nn.Sequential(nn.Linear(c, e), nn.SiLU(), nn.Linear(e, e))
        if classes:
            self.label = nn.Embedding(classes, e)
        self.stem = nn.Conv2d(1, c, 3, padding=1)
        half = lambda c: nn.Conv2d(c, c, 3, 2, 1)
        full = lambda c: nn.Conv2d(c, c, 3, padding=1)
        self.down = nn.ModuleDict({"0": Residual(c, c, e), "1": half(c), "3": Residual(c, 2 * c, e),
                                   "4": half(2 * c), "6": Residual(2 * c, 2 * c, e), "7": Attention(2 * c)})
        self.mid = nn.ModuleDict({"0": Residual(2 * c, 2 * c, e), "1": Attention(2 * c),
                                  "2": Residual(2 * c, 2 * c, e)})
        self.up = nn.ModuleDict({"0": Residual(4 * c, 2 * c, e), "1": Attention(2 * c),
                                 "2": Residual(4 * c, 2 * c, e), "3": Attention(2 * c), "4": full(2 * c),
                                 "5": Residual(4 * c, 2 * c, e), "6": Residual(3 * c, 2 * c, e), "7": full(2 * c),
                                 "8": Residual(3 * c, c, e), "9": Residual(2 * c, c, e)})
        self.norm, self.out = nn.GroupNorm(8, c), nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, x, t, labels=None):
        half = self.c // 2
        angle = real(t)[:, None] * torch.exp(-math.log(10000.0) * torch.arange(half) / (half - 1))
        e = self.time(torch.cat([angle.sin(), angle.cos()], 1))
        if labels is not None:
            known = labels < self.label.num_embeddings
            e = e + self.label(labels * known) * known[:, None]
        h = self.stem(x)
        skips = [h]
        for number, block in self.down.items():
            h = block(h) if isinstance(block, nn.Conv2d) else block(h, e)
            if isinstance(block, Attention):
                skips.pop()
            skips.append(h)
        for block in self.mid.values():
            h = block(h, e)
        for block in self.up.values():
            if isinstance(block, Residual):
                h = block(torch.cat([h, skips.pop()], 1), e)
            elif isinstance(block, Attention):
                h = block(h, e)
            else:
                h = block(F.interpolate(h, scale_factor=2))
        return self.out(F.silu(self.norm(h)))
