"""What PyTorch computes for frontend-families.cpp: losses of 50 training steps of each family of the zoo, from the same
weights, minibatches and noise, and samples before them. Prints frontend-families.inc, or what rounding alone does in
50 steps: how far PyTorch's own losses in f32, and in f64 from weights that differ by 2^-24, are from those in f64.

python3 frontend-families.py > frontend-families.inc     (needs torch, on the CPU)
python3 frontend-families.py --drift [24]
"""
import itertools
import math
import sys

import torch
from families_data import Noise, fill, images, real, sentences, text
from families_gans import (DcganDiscriminator, ProganCritic, ProganGenerator, dcgan_generator, sagan_discriminator,
                           sagan_generator)
from families_models import Alexnet, ConvVae, Glow, Lenet, Nice, RealNvp, Resnet, Unet, Vae, mlp, named
from families_transformers import Bert, Gpt, Transformer
from torch import nn
from torch.nn import functional as F

STEPS = 50
torch.set_num_threads(1)


recorded = {}
wobble, wobble_size = None, 0  # a generator of random numbers: weights are not quite what they should be


def numbers(name, values):
    recorded[name] = [float(value) for value in values]


def some(x):
    """99 elements, evenly spread."""
    x = x.detach().flatten()
    return x[::max(len(x) // 99, 1)][:99]


def run(name, net, step, batch, draw=images, sample=None, sample_calls=1, scaled=False):
    """`step` is given examples and noise, and gives the losses; it calls their optimizers itself."""
    fill(net, scaled)
    if wobble:
        with torch.no_grad():
            for weight in net.parameters():
                weight *= 1 + wobble_size * (2 * torch.randint(2, weight.shape, generator=wobble) - 1)
    calls = 0
    if sample:
        net.eval()
        with torch.no_grad():
            numbers(f"k{name}Samples", some(sample(Noise(0))))
        net.train()
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


def classifier(name, net, scope, rate, decay, batch=16):
    net = named(**{scope: net})
    optimizer = adam(net, rate)
    factor = lambda t: 0.01 + 0.99 * (1 + math.cos(math.pi * min(t, decay) / decay)) / 2
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)

    def step(x, labels, noise):
        loss = F.cross_entropy(net[scope](x.unsqueeze(1), noise), labels)
        descend(optimizer, loss, schedule=schedule)
        return [loss]
    run(name, net, step, batch)


# Variational autoencoders ------------------------------------------------------------------------------------------


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
    run(name, named(vae=net), simple(net, rate, loss), 16, sample=sample)


# Adversarial networks ----------------------------------------------------------------------------------------------

def gan(name, optimizer, d_loss, g_loss, after=lambda d: None, critic_steps=0, classes=0):
    """Without critic steps each step is one call for both; else the generator's call follows every so many."""
    leaky = lambda: nn.LeakyReLU(0.2)
    net = named(g=mlp([100 + classes, 256, 512, 1024, 784], leaky, [nn.Tanh()]),
                d=mlp([784 + classes, 512, 256, 1], leaky))
    optimizers = {part: optimizer(net[part].parameters()) for part in "gd"}
    told = lambda x, labels: torch.cat([x, real(F.one_hot(labels, classes))], 1) if classes else x
    generate = lambda noise, labels: net["g"](told(noise.normal(len(labels), 100), labels))
    counter, number = itertools.count(1), itertools.count()

    def step(real, labels, noise):
        noise, real = Noise(next(counter)), 2 * real.flatten(1) - 1
        critic = lambda x: net["d"](told(x, labels))
        fake = generate(noise, labels)
        losses = d_loss(critic, real, fake.detach(), noise)
        descend(optimizers["d"], losses[0], list(net["d"].parameters()))
        after(net["d"])
        if critic_steps:
            if next(number) % critic_steps:
                return losses
            fake = generate(Noise(next(counter)), labels)
        losses.append(g_loss(critic(fake)))
        descend(optimizers["g"], losses[-1], list(net["g"].parameters()))
        return losses
    labels = torch.arange(100) // 10 if classes else torch.zeros(64)
    run(name, net, step, 16, sample=lambda noise: generate(noise, labels))


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def gradient_penalty(critic, real, fake, mix):
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    slopes, = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return 10 * ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()


def adam_of(rate, betas=(0.5, 0.999)):
    return lambda parameters: torch.optim.Adam(parameters, rate, betas)


def mlp_gan(rate=2e-4):
    gan("MlpGan", adam_of(rate), lambda d, real, fake, noise: [bce(d(real), 1.0) + bce(d(fake), 0.0)],
        lambda scores: bce(scores, 1.0))


def cgan(rate=2e-5):
    gan("Cgan", adam_of(rate), lambda d, real, fake, noise: [bce(d(real), 0.9) + bce(d(fake), 0.0)],
        lambda scores: bce(scores, 1.0), classes=10)


def lsgan(rate=2e-5):
    square = lambda scores, target: 0.5 * ((scores - target) ** 2).mean()
    gan("Lsgan", adam_of(rate), lambda d, real, fake, noise: [square(d(real), 1) + square(d(fake), 0)],
        lambda scores: square(scores, 1))


def distance(d, real, fake):
    return d(fake).mean() - d(real).mean()


def wgan(critic_steps=2):
    def clip(critic):
        for weight in critic.parameters():
            weight.data.clamp_(-0.01, 0.01)
    gan("Wgan", lambda parameters: torch.optim.RMSprop(parameters, 5e-5),
        lambda d, real, fake, noise: [distance(d, real, fake)], lambda scores: -scores.mean(), clip, critic_steps)


def wgan_gp(rate=1e-5, critic_steps=2):
    def penalized(d, real, fake, noise):
        apart = distance(d, real, fake)
        return [apart + gradient_penalty(d, real, fake, noise.uniform(len(real), 1)), -apart]
    gan("WganGp", adam_of(rate, (0.0, 0.9)), penalized, lambda scores: -scores.mean(), critic_steps=critic_steps)


def convolution_gan(name, net, side, latent, losses, rates, betas, batch=8, disturb=lambda x, noise: x):
    """`losses`: of the discriminator and of the generator, from images."""
    optimizers = {part: torch.optim.Adam(net[part].parameters(), rate, betas) for part, rate in zip("dg", rates)}
    generate = lambda noise, count: net["g"](noise.normal(count, latent)[:, :, None, None])

    def step(real, labels, noise):
        fake, path = generate(noise, len(real)), []
        real, fake = disturb(2 * real[:, None] - 1, noise), disturb(fake, noise)
        for part, loss_of, images in zip("dg", losses, (fake.detach(), fake)):
            path.append(loss_of(real, images))
            descend(optimizers[part], path[-1], list(net[part].parameters()))
        return path
    run(name, net, step, batch, lambda *range: images(*range, side), lambda noise: generate(noise, 64))


def dcgan(width=4, sizes=(64, 32), matching=True, rates=(2e-5, 2e-5)):
    net = named(g=dcgan_generator(width), d=nn.ModuleList(DcganDiscriminator(width, size) for size in sizes))
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)
    seen = lambda x: zip(net["d"], (x, F.avg_pool2d(x, 2)))

    def d_loss(real, fake):
        return sum(bce(d.logits(d.features(x)), target) for images, target in ((real, 0.9), (fake, 0.0))
                   for d, x in seen(images))

    def g_loss(real, fake):
        total = 0
        for (d, x), (_, y) in zip(seen(fake), seen(real)):
            features = d.features(x)
            total = total + bce(d.logits(features), 1.0)
            if matching:
                total = total + F.mse_loss(features.mean(0), d.features(y).mean(0).detach())
        return total
    disturb = lambda x, noise: x + 0.3 * noise.normal(*x.shape)
    convolution_gan("Dcgan", net, 64, 100, (d_loss, g_loss), rates, (0.5, 0.999), disturb=disturb)


def sagan(width=8, rates=(4e-5, 1e-5)):
    net = named(g=sagan_generator(width), d=sagan_discriminator(width))
    d_loss = lambda real, fake: F.relu(1 - net["d"](real)).mean() + F.relu(1 + net["d"](fake)).mean()
    g_loss = lambda real, fake: -net["d"](fake).mean()
    convolution_gan("Sagan", net, 32, 128, (d_loss, g_loss), rates, (0.0, 0.9))


def progan(width=8, grow=12, rate=1e-4):
    net = named(g=ProganGenerator(width), d=ProganCritic(width))
    optimizers, taken = {}, [0]
    part = lambda level: torch.tensor(min(max((taken[0] - grow * level) * 2 / grow, 0), 1))

    def trained(part, level):
        """Variables of the levels so far, but images of the last two only."""
        return [parameter for name, parameter in net[part].named_parameters() if int(name.split(".")[0]) <= 4 << level
                and not (".image." in name and int(name.split(".")[0]) < 2 << level)]

    def step(real, labels, noise):
        level = min(taken[0] // grow, 3)
        critic = lambda x: net["d"](x, level, part)
        real = F.avg_pool2d(2 * real[:, None] - 1, 8 >> level)
        if level:
            real = torch.lerp(F.interpolate(F.avg_pool2d(real, 2), scale_factor=2), real, part(level))
        fake = net["g"](noise.normal(len(real), 64), max(level - 1, 0), level, part)
        on_real = critic(real)
        d_loss = critic(fake.detach()).mean() - on_real.mean() + 1e-3 * (on_real**2).mean() + gradient_penalty(
            critic, real, fake.detach(), noise.uniform(len(real), 1, 1, 1))
        losses = []
        for name, loss_of in (("d", lambda: d_loss), ("g", lambda: -critic(fake).mean())):
            weights = trained(name, level)
            if (name, level) not in optimizers:
                optimizers[name, level] = torch.optim.Adam(weights, rate, (0.0, 0.99))
            losses.append(loss_of())
            descend(optimizers[name, level], losses[-1], weights)
        taken[0] += 1
        return losses
    sample = lambda noise: net["g"](noise.normal(64, 64), 0, 3, part)
    run("Progan", net, step, 8, lambda *range: images(*range, 32), sample, scaled=True)


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
    run(name, named(flow=parts), simple(parts, rate, loss, clip=1.0), 16, sample=sample)


# Diffusion ---------------------------------------------------------------------------------------------------------


def diffusion(name, classes=0, cosine=False, predict_v=False, width=8, rows=4, steps=5, eta=1.0, guidance=3.0):
    net = Unet(width, classes)
    if cosine:
        left = lambda t: math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = [min(1 - left(t + 1) / left(t), 0.999) for t in range(1000)]
    else:
        betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64).tolist()
    alphas = torch.cumprod(1 - torch.tensor(betas, dtype=torch.float64), 0)
    signals, noises = real(alphas.sqrt()), real((1 - alphas).sqrt())

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
        x, stride = noise.normal(10 * classes or rows, 1, 28, 28), 1000 // steps
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
    run(name, named(unet=net), simple(net, 1e-3, loss, clip=1.0), 8, sample=sample, sample_calls=1 + steps)


# Texts -------------------------------------------------------------------------------------------------------------


def gpt(words=11, length=12):
    net = Gpt(words, 16, 2, 2, length)
    loss = lambda ids, targets, noise: F.cross_entropy(net(ids).flatten(0, 1), targets.flatten())
    run("Gpt", named(gpt=net), simple(net, 1e-3, loss, betas=(0.9, 0.99)), 8,
        lambda first, count: text(first, count, words, length))


def inverse_sqrt(optimizer, steps):
    factor = lambda t: min((t + 1) / steps, math.sqrt(steps / (t + 1)))
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def transformer(words=11, length=12):
    net = named(net=Transformer(words, 16, 2, 2, 32, length))
    optimizer = torch.optim.Adam(net.parameters(), 2e-3, (0.9, 0.98), 1e-9)
    schedule = inverse_sqrt(optimizer, 20)

    def step(source, target, labels, noise):
        loss = F.cross_entropy(net["net"](source, target), labels.flatten(), ignore_index=0, label_smoothing=0.1)
        descend(optimizer, loss, schedule=schedule)
        return [loss]
    run("Transformer", net, step, 8, lambda first, count: text(first, count, words, length, 3))


def bert(words=11, length=12, first=5, mask=4):
    net = named(net=Bert(words, 16, 2, 2, length))
    optimizer, weights = torch.optim.AdamW(net.parameters(), 2e-3), list(net.parameters())
    schedule = inverse_sqrt(optimizer, 20)

    def step(ids, segments, follows, noise):
        u, v = noise.uniform(*ids.shape), noise.uniform(*ids.shape)
        asked = ((ids == 3) | (ids >= first)) & (u < 0.15)
        changed = torch.where(u < 0.9 * 0.15, (v * (words - first)).long() + first, ids)
        other = torch.where(u < 0.8 * 0.15, mask, changed)
        logits, told = net["net"](torch.where(asked, other, ids), segments)
        masked = F.cross_entropy(logits, torch.where(asked, ids, -1).flatten(), ignore_index=-1)
        following = F.cross_entropy(told, follows)
        descend(optimizer, masked + following, weights, 1.0, schedule)
        return [masked + following, masked, following]
    run("Bert", net, step, 8, lambda first, count: sentences(first, count, words, length))


def recurrent(name, kind, words=11, length=12, batch=8):
    net = named(tok=nn.Embedding(words, 16), rnn=kind(16, 16, 2, batch_first=True), head=nn.Linear(16, words))
    state = [None]

    def loss(ids, targets, noise):
        y, after = net["rnn"](net["tok"](ids), state[0])
        state[0] = tuple(part.detach() for part in after) if isinstance(after, tuple) else after.detach()
        return F.cross_entropy(net["head"](y).flatten(0, 1), targets.flatten())
    run(name, named(net=net), simple(net, 2e-3, loss), batch,
        lambda first, count: text(first, count, words, length))


def families():
    classifier("Lenet", Lenet(), "lenet", 3e-3, 4685)
    classifier("Alexnet", Alexnet(4), "alexnet", 1e-3, 2340)
    classifier("Resnet", Resnet(4), "resnet", 1e-3, 4680)
    vae("Vae", Vae(24, 4), 4, 1e-3)
    vae("ConvVae", ConvVae(4, 4, gaussian=True), 4, 1e-3, beta=2.0)
    vae("Cvae", Vae(24, 4, 10), 4, 1e-3, rows=100)
    for adversarial in (mlp_gan, cgan, lsgan, wgan, wgan_gp, dcgan, sagan, progan):
        adversarial()
    nets = RealNvp(4, 24), Nice(4, 24, 2), Glow(2, 8)
    flow("RealNvp", nets[0], 5e-4, nets[0])
    flow("Nice", nets[1], 1e-3, nets[1], logistic=True)
    flow("Glow", nets[2], 1e-3, nets[2])
    diffusion("Ddpm", cosine=True, predict_v=True)
    diffusion("GuidedDdpm", classes=10)
    gpt()
    transformer()
    bert()
    for name, kind in (("CharRnn", nn.RNN), ("CharLstm", nn.LSTM), ("CharGru", nn.GRU)):
        recurrent(name, kind)


def drift(bits=24, others=4):
    """Largest differences from f64 in the first ten steps and in all, relative to the loss, or to 0.01 where losses are
    differences near 0."""
    global recorded, wobble, wobble_size
    runs, wobble_size = [], 2.0**-bits
    for number in range(-1, 1 + others):
        recorded = {}
        torch.set_default_dtype(torch.float32 if number < 0 else torch.float64)
        wobble = torch.Generator().manual_seed(number) if number > 0 else None
        families()
        runs.append(recorded)
    for name, exact in runs[1].items():
        if name.endswith("Losses"):
            scale = 0.01 if "Wgan" in name or name in ("kSaganLosses", "kProganLosses") else 0
            apart = [max(abs(run[name][i] - x) for run in runs) / max(abs(x), scale) for i, x in enumerate(exact)]
            print(f"{name[1:-6]:12} {max(apart[:len(apart) // 5]):.1e} {max(apart):.1e}")


if __name__ == "__main__":
    if "--drift" in sys.argv:
        drift(*map(int, sys.argv[2:]))
    else:
        families()
        print("// Written by frontend-families.py with PyTorch", torch.__version__.split("+")[0])
        for name, values in recorded.items():
            values = ", ".join(f"{value:.7g}" for value in values)
            print(f"inline const std::vector<double> {name} = {{{values}}};")
