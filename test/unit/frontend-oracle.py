"""What PyTorch computes for the cases of frontend-oracle.cpp: prints frontend-oracle.inc.

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


def losses():
    x, t = signed(3, (2, 3), 4.0), torch.tensor(uniform(4, (2, 3)).astype(np.float32))
    mu, log_variance = signed(5, (2, 3), 2.0), signed(6, (2, 3), 2.0)
    show("kBceWithLogits", F.binary_cross_entropy_with_logits(x, t, reduction="none").flatten())
    show("kBce", F.binary_cross_entropy(torch.sigmoid(x), t, reduction="none").flatten())
    show("kMse", [F.mse_loss(x, t)])
    show("kL1", [F.l1_loss(x, t)])
    prior = torch.distributions.Normal(0.0, 1.0)
    posterior = torch.distributions.Normal(mu, torch.exp(0.5 * log_variance))
    show("kKl", torch.distributions.kl_divergence(posterior, prior).flatten())


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


print("// Written by frontend-oracle.py with PyTorch", torch.__version__.split("+")[0])
optimizers()
losses()
vae("kSmallVae", 8, 48, 24, 4, 1e-2)
vae("kVae", 128, 784, 400, 20, 1e-3)
