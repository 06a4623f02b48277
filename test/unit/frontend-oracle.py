"""What PyTorch computes for the cases of frontend-oracle.cpp and frontend-training.cpp: prints frontend-oracle.inc.

python3 frontend-oracle.py > frontend-oracle.inc     (needs torch, on the CPU)

Inputs and weights are a hash of their position, which both sides compute exactly.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


def uniform(number, shape):
    """Numbers in [0, 1), by number of the array and position of the element."""
    x = (np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint64) * 2654435761 + number * 2246822519) % 2**32
    for shift, factor in ((15, 2246822519), (13, 3266489917)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) % 2**32
    x ^= x >> np.uint64(16)
    return ((x >> np.uint64(8)) * 2.0**-24).reshape(shape)


def signed(number, shape, bound=1.0):
    return torch.tensor(((2 * uniform(number, shape) - 1) * bound).astype(np.float32))


def show(name, values):
    numbers = ", ".join(f"{float(v):.9g}" for v in values)
    print(f"inline const std::vector<double> {name} = {{{numbers}}};")


def optimizers():
    """Five steps down sum(c * w^2) + sum(w), of four weights."""
    for name, make in (("kAdam", lambda p: torch.optim.Adam(p, 0.05, (0.8, 0.99), 1e-6)),
                       ("kSgd", lambda p: torch.optim.SGD(p, 0.05)),
                       ("kMomentum", lambda p: torch.optim.SGD(p, 0.05, momentum=0.9))):
        w, c, path = signed(1, 4).requires_grad_(), signed(2, 4), []
        optimizer = make([w])
        for _ in range(5):
            optimizer.zero_grad()
            ((c * w * w).sum() + w.sum()).backward()
            optimizer.step()
            path += w.detach().tolist()
        show(name, path)


def show_with_gradients(name, value, inputs):
    """The elements of `value`, then the gradient of their sum, weighted by array 9, for each input."""
    weights = signed(9, tuple(value.shape))
    gradients = torch.autograd.grad((weights * value).sum(), inputs)
    show(name, torch.cat([value.detach().flatten(), *(g.flatten() for g in gradients)]))


def inputs(*arrays):
    return [a.requires_grad_() for a in arrays]


def losses():
    x, t = inputs(signed(3, (2, 3), 4.0), torch.tensor(uniform(4, (2, 3)).astype(np.float32)))
    p = torch.tensor(uniform(7, (2, 3)).astype(np.float32)).requires_grad_()
    mu, log_variance = inputs(signed(5, (2, 3), 2.0), signed(6, (2, 3), 2.0))
    show_with_gradients("kBceWithLogits", F.binary_cross_entropy_with_logits(x, t, reduction="none"), [x, t])
    # PyTorch has no gradient for the targets of this one.
    show_with_gradients("kBce", F.binary_cross_entropy(p, t.detach(), reduction="none"), [p])
    show_with_gradients("kMse", F.mse_loss(x, t), [x, t])
    show_with_gradients("kL1", F.l1_loss(x, t), [x, t])
    prior = torch.distributions.Normal(0.0, 1.0)
    posterior = torch.distributions.Normal(mu, torch.exp(0.5 * log_variance))
    show_with_gradients("kKl", torch.distributions.kl_divergence(posterior, prior), [mu, log_variance])


def activations():
    for name, layer in (("kRelu", nn.ReLU()), ("kLeakyRelu", nn.LeakyReLU()), ("kLeakyRelu02", nn.LeakyReLU(0.2)),
                        ("kTanh", nn.Tanh()), ("kSigmoid", nn.Sigmoid())):
        x = signed(3, (2, 5), 6.0)
        x[0, 0] = 0.0  # where the derivatives of some are a convention
        x.requires_grad_()
        show_with_gradients(name, layer(x), [x])


def fill(net):
    """Gives the parameters, in the order of the state dict, the arrays 11, 12, ..."""
    with torch.no_grad():
        for number, parameter in enumerate(net.state_dict().values(), 11):
            parameter.copy_(signed(number, tuple(parameter.shape)))
    return net


def layers():
    for name, net, shape in (
            ("kLinear", nn.Linear(5, 4), (3, 5)),
            ("kLinearOfRank3", nn.Linear(5, 4), (2, 3, 5)),
            ("kLinearWithoutBias", nn.Linear(5, 4, bias=False), (3, 5)),
            ("kSequential", nn.Sequential(nn.Linear(5, 6), nn.LeakyReLU(0.2), nn.Linear(6, 4), nn.Tanh()), (3, 5))):
        x, = inputs(signed(10, shape))
        show_with_gradients(name, fill(net)(x), [x, *net.parameters()])


def initial_values():
    """Bound and standard deviation of what PyTorch gives Linear(400, 300) at first."""
    torch.manual_seed(0)
    net = nn.Linear(400, 300)
    numbers = []
    for parameter in (net.weight, net.bias):
        numbers += [parameter.abs().max().item(), parameter.std().item()]
    show("kLinearInitial", numbers)


class Vae(nn.Module):
    def __init__(self, pixels, hidden, latent):
        super().__init__()
        self.enc, self.stats = nn.Linear(pixels, hidden), nn.Linear(hidden, 2 * latent)
        self.dec = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    def forward(self, x, eps):
        mu, log_variance = self.stats(F.relu(self.enc(x))).chunk(2, 1)
        logits = self.dec(mu + eps * torch.exp(0.5 * log_variance))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return reconstruction - 0.5 * (1 + log_variance - mu ** 2 - log_variance.exp()).sum()


def vae(name, batch, pixels, hidden, latent, rate):
    """Losses of 20 steps on noisy copies of one picture, which is soon learned. The pictures' noise, the
    latent noise and the weights are numbered 100 * step, 100 * step + 1, and 1, 2, ..."""
    net, path = Vae(pixels, hidden, latent), []
    with torch.no_grad():
        for number, parameter in enumerate(net.state_dict().values(), 1):
            parameter.copy_(signed(number, tuple(parameter.shape), 0.05))
    optimizer = torch.optim.Adam(net.parameters(), rate)
    for step in range(1, 21):
        x = 0.25 * uniform(100 * step, (batch, pixels)) + 0.75 * (uniform(99, pixels) > 0.5)
        x = torch.tensor(x.astype(np.float32))
        loss = net(x, signed(100 * step + 1, (batch, latent), 1.7))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        path.append(loss.detach())
    show(name, path)


def mlp(sizes, last=()):
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1], *last)


def gan(name, batch, generator_sizes, discriminator_sizes, steps):
    """Both losses of each step: the discriminator's, then the generator's against the changed discriminator.
    Weights of generator and discriminator are numbered 1, 2, ...; real images 100 * step, noise 100 * step + 1."""
    g, d = mlp(generator_sizes, [nn.Tanh()]), mlp(discriminator_sizes)
    with torch.no_grad():
        for number, parameter in enumerate([*g.state_dict().values(), *d.state_dict().values()], 1):
            parameter.copy_(signed(number, tuple(parameter.shape), 0.1))
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (g, d))
    bce = lambda logits, target: F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
    path = []
    for step in range(1, steps + 1):
        real, z = signed(100 * step, (batch, 784)), signed(100 * step + 1, (batch, generator_sizes[0]), 1.7)
        fake = g(z)
        d_loss = bce(d(real), 1.0) + bce(d(fake.detach()), 0.0)
        adam_d.zero_grad()
        d_loss.backward()
        adam_d.step()
        g_loss = bce(d(fake), 1.0)
        adam_g.zero_grad()
        g_loss.backward()
        adam_g.step()
        path += [d_loss.detach(), g_loss.detach()]
    show(name, path)


if __name__ == "__main__":
    print("// Written by frontend-oracle.py with PyTorch", torch.__version__.split("+")[0])
    optimizers()
    losses()
    activations()
    layers()
    initial_values()
    vae("kSmallVae", 8, 48, 24, 4, 1e-2)
    vae("kVae", 128, 784, 400, 20, 1e-3)
    gan("kMlpGan", 128, [100, 256, 512, 1024, 784], [784, 512, 256, 1], 10)
