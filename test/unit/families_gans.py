"""PyTorch's side of the adversarial families of convolutions in frontend-families.cpp, with the names of the zoo's
variables."""
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


def dcgan_generator(w):
    sizes, layers = (8 * w, 4 * w, 2 * w, w, 1), [nn.ConvTranspose2d(100, 8 * w, 4, bias=False)]
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.BatchNorm2d(a), nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, nn.Tanh())


class DcganDiscriminator(nn.Sequential):
    def __init__(self, w, size):
        layers, a = [], 1
        while size > 4:
            b = w if a == 1 else 2 * a
            layers += [nn.Conv2d(a, b, 4, 2, 1, bias=False)] + [nn.BatchNorm2d(b)] * (a != 1) + [nn.LeakyReLU(0.2)]
            a, size = b, size // 2
        super().__init__(*layers, nn.Conv2d(a, 1, 4, bias=False))

    def features(self, x):
        for layer in list(self)[:-1]:
            x = layer(x)
        return x

    def logits(self, features):
        return self[-1](features).flatten(1)


class PositionAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.query, self.key = (spectral_norm(nn.Conv2d(c, c // 8, 1)) for _ in range(2))
        self.value, self.out = spectral_norm(nn.Conv2d(c, c // 2, 1)), spectral_norm(nn.Conv2d(c // 2, c, 1))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        rows = lambda t: t.flatten(2).transpose(1, 2)
        seen = torch.softmax(rows(self.query(x)) @ rows(self.key(x)).transpose(1, 2), 2) @ rows(self.value(x))
        return x + self.gamma * self.out(seen.transpose(1, 2).unflatten(2, x.shape[2:]))


def sagan_generator(w):
    twice = lambda a, b: spectral_norm(nn.ConvTranspose2d(a, b, 4, 2, 1))
    return nn.Sequential(spectral_norm(nn.ConvTranspose2d(128, 4 * w, 4)), nn.BatchNorm2d(4 * w), nn.ReLU(),
                         twice(4 * w, 2 * w), nn.BatchNorm2d(2 * w), nn.ReLU(), twice(2 * w, w), nn.BatchNorm2d(w),
                         nn.ReLU(), PositionAttention(w), twice(w, 1), nn.Tanh())


def sagan_discriminator(w):
    half = lambda a, b: [spectral_norm(nn.Conv2d(a, b, 4, 2, 1)), nn.LeakyReLU(0.1)]
    return nn.Sequential(*half(1, w), PositionAttention(w), *half(w, 2 * w), *half(2 * w, 4 * w),
                         spectral_norm(nn.Conv2d(4 * w, 1, 4)), nn.Flatten())


class ScaledConv(nn.Module):
    def __init__(self, a, b, kernel, padding, gain=math.sqrt(2), **parts):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(b, a, kernel, kernel)), nn.Parameter(torch.zeros(b, 1, 1))
        self.scale, self.padding = gain / math.sqrt(a * kernel**2), padding
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x):
        return F.conv2d(x, self.scale * self.weight, padding=self.padding) + self.bias


def leaky(x):
    return F.leaky_relu(x, 0.2)


def pixel_norm(x):
    return x * ((x**2).mean(1, keepdim=True) + 1e-8).rsqrt()


class ProganGenerator(nn.ModuleDict):
    def __init__(self, w):
        widths = (w, w, w // 2, w // 4)
        image = lambda level: ScaledConv(widths[level], 1, 1, 0, 1.0)
        super().__init__({"4": ScaledConv(64, w, 4, 3, image=image(0))})
        for level in (1, 2, 3):
            self[str(4 << level)] = ScaledConv(widths[level - 1], widths[level], 3, 1, image=image(level))

    def forward(self, z, first, last, part):
        x = pixel_norm(z[:, :, None, None])
        for level, block in zip(range(last + 1), self.values()):
            x = pixel_norm(leaky(block(F.interpolate(x, scale_factor=2) if level else x)))
            if level == first:
                image = block.image(x)
            elif level > first:
                image = torch.lerp(F.interpolate(image, scale_factor=2), block.image(x), part(level))
        return image


class ProganCritic(nn.ModuleDict):
    def __init__(self, w):
        widths = (w, w, w // 2, w // 4)
        image = lambda level: ScaledConv(1, widths[level], 1, 0)
        super().__init__({"4": ScaledConv(w + 1, w, 3, 1, image=image(0), score=ScaledConv(w, 1, 4, 0, 1.0))})
        for level in (1, 2, 3):
            self[str(4 << level)] = ScaledConv(widths[level], widths[level - 1], 3, 1, image=image(level))

    def forward(self, images, level, part):
        blocks = list(self.values())
        x = leaky(blocks[level].image(images))
        for i in range(level, 0, -1):
            x = F.avg_pool2d(leaky(blocks[i](x)), 2)
            if i == level:
                x = torch.lerp(leaky(blocks[i - 1].image(F.avg_pool2d(images, 2))), x, part(level))
        deviation = (((x - x.mean(0)) ** 2).mean(0) + 1e-8).sqrt().mean().expand(len(x), 1, *x.shape[2:])
        return blocks[0].score(leaky(blocks[0](torch.cat([x, deviation], 1)))).flatten(1)
