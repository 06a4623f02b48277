"""What PyTorch computes for frontend-families.cpp: losses of 50 training steps of each family of the zoo, from the same
weights, minibatches and noise, and samples before them. Prints frontend-families.inc.

python3 frontend-families.py > frontend-families.inc     (needs torch, on the CPU)
"""
import math
import sys

import torch
from families_data import Noise, fill, images, text
from torch import nn
from torch.nn import functional as F

STEPS = 50
torch.set_num_threads(1)


def numbers(name, values):
    values = ", ".join(f"{float(v):.7g}" for v in values)
    print(f"inline const std::vector<double> {name} = {{{values}}};")


def some(x):
    """99 elements, evenly spread."""
    x = x.detach().flatten()
    return x[::max(len(x) // 99, 1)][:99]


def named(**modules):
    return nn.ModuleDict(modules)


def run(name, net, optimizers, step, batch, draw=images, sample=None, sample_calls=1):
    """`step` is given examples and noise, and gives the losses; it calls their optimizers itself."""
    fill(net)
    calls = 0
    if sample:
        with torch.no_grad():
            numbers(f"k{name}Samples", some(sample(Noise(0))))
        calls = sample_calls
    path = []
    for number in range(STEPS):
        path += [loss.detach() for loss in step(*draw(batch * number, batch), Noise(calls + number))]
    numbers(f"k{name}Losses", path)


def descend(optimizer, loss, parameters=None, clip=None, schedule=None):
    optimizer.zero_grad()
    loss.backward(inputs=parameters)
    if clip:
        nn.utils.clip_grad_norm_(parameters, clip)
    optimizer.step()
    if schedule:
        schedule.step()


def adam(net, rate, betas=(0.9, 0.999)):
    return torch.optim.Adam(net.parameters(), rate, betas)


def simple(net, rate, loss_of, clip=None, **options):
    """A step down one loss with Adam."""
    optimizer, parameters = adam(net, rate, **options), list(net.parameters())

    def step(*arguments):
        loss = loss_of(*arguments)
        descend(optimizer, loss, parameters, clip)
        return [loss]
    return step


# Classifiers -------------------------------------------------------------------------------------------------------

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


def classifier(name, net, scope, rate, decay, batch=16):
    net = named(**{scope: net})
    optimizer = adam(net, rate)
    factor = lambda t: 0.01 + 0.99 * (1 + math.cos(math.pi * min(t, decay) / decay)) / 2
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)

    def step(x, labels, noise):
        loss = F.cross_entropy(net[scope](x.unsqueeze(1), noise), labels)
        descend(optimizer, loss, schedule=schedule)
        return [loss]
    run(name, net, None, step, batch)


def mlp(sizes, activation=nn.ReLU, last=()):
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers[:-1], *last)


# Variational autoencoders ------------------------------------------------------------------------------------------

class Vae(nn.Module):
    def __init__(self, hidden, latent, classes=0):
        super().__init__()
        self.classes = classes
        self.fc1, self.mean = nn.Linear(784 + classes, hidden), nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.fc2, self.out = nn.Linear(latent + classes, hidden), nn.Linear(hidden, 784)

    def told(self, x, labels):
        return torch.cat([x, F.one_hot(labels, self.classes).float()], 1) if self.classes else x

    def encode(self, x, labels):
        h = F.relu(self.fc1(self.told(x, labels)))
        return self.mean(h), self.log_variance(h)

    def decode(self, z, labels=None):
        return self.out(F.relu(self.fc2(self.told(z, labels))))


class ConvVae(nn.Module):
    def __init__(self, w, latent):
        super().__init__()
        self.w = w
        self.c1, self.c2 = nn.Conv2d(1, w, 4, 2, 1), nn.Conv2d(w, 2 * w, 4, 2, 1)
        self.mean, self.log_variance = nn.Linear(98 * w, latent), nn.Linear(98 * w, latent)
        self.fc = nn.Linear(latent, 98 * w)
        self.t1, self.t2 = nn.ConvTranspose2d(2 * w, w, 4, 2, 1), nn.ConvTranspose2d(w, 1, 4, 2, 1)
        self.log_variance_x = nn.Parameter(torch.zeros(1))

    def encode(self, x, labels):
        h = F.relu(self.c2(F.relu(self.c1(x.reshape(-1, 1, 28, 28))))).flatten(1)
        return self.mean(h), self.log_variance(h)

    def decode(self, z, labels=None):
        h = F.relu(self.fc(z)).reshape(-1, 2 * self.w, 7, 7)
        return self.t2(F.relu(self.t1(h))).flatten(1)


def vae(name, net, latent, rate, beta=1.0, rows=64):
    def loss(x, labels, noise):
        x = x.flatten(1)
        mu, log_variance = net.encode(x, labels)
        logits = net.decode(mu + torch.exp(0.5 * log_variance) * noise.normal(*mu.shape), labels)
        if hasattr(net, "log_variance_x"):
            variance = net.log_variance_x.exp().expand_as(x)
            likelihood = F.gaussian_nll_loss(torch.sigmoid(logits), x, variance, full=True, reduction="sum")
        else:
            likelihood = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return (likelihood - beta * 0.5 * (1 + log_variance - mu**2 - log_variance.exp()).sum()) / len(x)
    labels = torch.arange(100) // 10
    sample = lambda noise: torch.sigmoid(net.decode(noise.normal(rows, latent), labels))
    run(name, named(vae=net), None, simple(net, rate, loss), 16, sample=sample)


# Adversarial networks ----------------------------------------------------------------------------------------------

def mlp_gan():
    leaky = lambda: nn.LeakyReLU(0.2)
    net = named(g=mlp([100, 256, 512, 1024, 784], leaky, [nn.Tanh()]), d=mlp([784, 512, 256, 1], leaky))
    g, d = net["g"], net["d"]
    adam_g, adam_d = (adam(part, 2e-4, (0.5, 0.999)) for part in (g, d))
    bce = lambda logits, target: F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))

    def step(real, labels, noise):
        fake = g(noise.normal(len(real), 100))
        d_loss = bce(d(2 * real.flatten(1) - 1), 1.0) + bce(d(fake.detach()), 0.0)
        descend(adam_d, d_loss)
        g_loss = bce(d(fake), 1.0)
        descend(adam_g, g_loss, list(g.parameters()))
        return [d_loss, g_loss]
    run("MlpGan", net, None, step, 16, sample=lambda noise: g(noise.normal(64, 100)))


# Flows -------------------------------------------------------------------------------------------------------------

def logit(x):
    inner = 0.05 + 0.9 * x
    return inner.log() - (1 - inner).log(), (math.log(0.9) - inner.log() - (1 - inner).log()).sum(1)


def flow(name, net, rate, parts, logistic=False):
    def loss(x, labels, noise):
        x = x.flatten(1)
        values, determinant = logit((255 * x + noise.uniform(*x.shape)) / 256)
        z, more = net(values)
        nats = F.softplus(z) + F.softplus(-z) if logistic else 0.5 * z**2 + 0.5 * math.log(2 * math.pi)
        return (nats.sum(1) - determinant - more).mean() / 784 / math.log(2) + 8

    def sample(noise):
        if logistic:
            u = noise.uniform(64, 784).clamp(min=2.0**-25)
            z = u.log() - (1 - u).log()
        else:
            z = noise.normal(64, 784)
        return (torch.sigmoid(net.inverse(z)) - 0.05) / 0.9
    run(name, named(flow=parts), None, simple(parts, rate, loss, clip=1.0), 16, sample=sample)


class RealNvp(nn.ModuleList):
    def __init__(self, count, hidden):
        super().__init__([mlp([784, hidden, hidden, 1568]) for _ in range(count)])
        row, column = torch.arange(784) // 28, torch.arange(784) % 28
        masks = [(row + column) % 2 == 0, row < 14]
        self.masks = [(masks[i % 4 // 2] == (i % 2 == 0)).float() for i in range(count)]

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
        self.p, self.l0, self.u0 = self.p.float(), l.float(), u.triu(1).float()
        self.s0, self.sign = u.diag().abs().log().float(), u.diag().sign().float()
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

    def parts(self, kept):
        s, t = self.c3(F.relu(self.c2(F.relu(self.c1(kept))))).chunk(2, 1)
        return F.logsigmoid(s + 2), t

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


# Diffusion ---------------------------------------------------------------------------------------------------------

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
        angle = t.float()[:, None] * torch.exp(-math.log(10000.0) * torch.arange(half) / (half - 1))
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


def diffusion(name, classes=0, cosine=False, predict_v=False, steps=5, eta=1.0, guidance=3.0):
    net = Unet(8, classes)
    if cosine:
        left = lambda t: math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = [min(1 - left(t + 1) / left(t), 0.999) for t in range(1000)]
    else:
        betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64).tolist()
    alphas = torch.cumprod(1 - torch.tensor(betas, dtype=torch.float64), 0)
    signals, noises = alphas.sqrt().float(), (1 - alphas).sqrt().float()

    def loss(x, labels, noise):
        x = 2 * x.unsqueeze(1) - 1
        if classes:
            labels = torch.where(noise.bernoulli(0.1, len(x)), classes, labels)
        drawn, t = noise.normal(*x.shape), (noise.uniform(len(x)) * 1000).long()
        s, n = signals[t][:, None, None, None], noises[t][:, None, None, None]
        target = s * drawn - n * x if predict_v else drawn
        return F.mse_loss(net(s * x + n * drawn, t, labels if classes else None), target)

    def predict(x, t):
        if not classes:
            return net(x, t)
        rows = torch.arange(classes).repeat_interleave(10)
        told, untold = net(x, t, rows), net(x, t, torch.full_like(rows, classes))
        return untold + guidance * (told - untold)

    def sample(noise):
        x, stride = noise.normal(10 * classes or 4, 1, 28, 28), 1000 // steps
        for step in range(steps):  # one a call
            more = next(Noise(1 + step).loop())
            t = (steps - 1 - step) * stride + stride - 1
            s, n = signals[t], noises[t]
            s2, n2 = (signals[t - stride], noises[t - stride]) if t >= stride else (torch.ones(()), torch.zeros(()))
            predicted = predict(x, torch.full((len(x),), t))
            image = (s * x - n * predicted if predict_v else (x - n * predicted) / s).clamp(-1, 1)
            predicted = (x - s * image) / n
            deviation = eta * n2 / n * (1 - (s / s2)**2).sqrt()
            rest = (n2**2 - deviation**2).clamp(min=0).sqrt()
            x = s2 * image + rest * predicted + deviation * more.normal(*x.shape)
        return x
    run(name, named(unet=net), None, simple(net, 1e-3, loss, clip=1.0), 8, sample=sample, sample_calls=1 + steps)


# Texts -------------------------------------------------------------------------------------------------------------

class GptLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.n1, self.n2, self.heads = nn.LayerNorm(width), nn.LayerNorm(width), heads
        self.attn = named(qkv=nn.Linear(width, 3 * width), out=nn.Linear(width, width))
        self.ffn = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))

    def forward(self, x):
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2)
                   for part in self.attn["qkv"](self.n1(x)).chunk(3, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + self.attn["out"](y)
        return x + self.ffn(self.n2(x))


class Gpt(nn.Module):
    def __init__(self, words, width, heads, layers, length):
        super().__init__()
        self.tok, self.pos, self.norm = nn.Embedding(words, width), nn.Embedding(length, width), nn.LayerNorm(width)
        self.layers = nn.ModuleList(GptLayer(width, heads) for _ in range(layers))

    def forward(self, ids):
        x = self.tok(ids) + self.pos.weight[:ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x) @ self.tok.weight.T


def gpt(words=11, length=12):
    net = Gpt(words, 16, 2, 2, length)
    loss = lambda ids, targets, noise: F.cross_entropy(net(ids).flatten(0, 1), targets.flatten())
    run("Gpt", named(gpt=net), None, simple(net, 1e-3, loss, betas=(0.9, 0.99)), 8,
        lambda first, count: text(first, count, words, length))


def recurrent(name, kind, words=11, length=12, batch=8):
    net = named(tok=nn.Embedding(words, 16), rnn=kind(16, 16, 2, batch_first=True), head=nn.Linear(16, words))
    state = [None]

    def loss(ids, targets, noise):
        y, after = net["rnn"](net["tok"](ids), state[0])
        state[0] = tuple(part.detach() for part in after) if isinstance(after, tuple) else after.detach()
        return F.cross_entropy(net["head"](y).flatten(0, 1), targets.flatten())
    run(name, named(net=net), None, simple(net, 2e-3, loss), batch,
        lambda first, count: text(first, count, words, length))


if __name__ == "__main__":
    print("// Written by frontend-families.py with PyTorch", torch.__version__.split("+")[0])
    classifier("Lenet", Lenet(), "lenet", 3e-3, 4685)
    classifier("Alexnet", Alexnet(4), "alexnet", 1e-3, 2340)
    classifier("Resnet", Resnet(4), "resnet", 1e-3, 4680)
    vae("Vae", Vae(24, 4), 4, 1e-3)
    vae("ConvVae", ConvVae(4, 4), 4, 1e-3, beta=2.0)
    vae("Cvae", Vae(24, 4, 10), 4, 1e-3, rows=100)
    mlp_gan()
    nets = RealNvp(4, 24), Nice(4, 24, 2), Glow(2, 8)
    flow("RealNvp", nets[0], 5e-4, nets[0])
    flow("Nice", nets[1], 1e-3, nets[1], logistic=True)
    flow("Glow", nets[2], 1e-3, nets[2])
    diffusion("Ddpm", cosine=True, predict_v=True)
    diffusion("GuidedDdpm", classes=10)
    gpt()
    for name, kind in (("CharRnn", nn.RNN), ("CharLstm", nn.LSTM), ("CharGru", nn.GRU)):
        recurrent(name, kind)
