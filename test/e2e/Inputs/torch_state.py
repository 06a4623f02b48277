"""A state dict of PyTorch's to the zoo's VAE and back:  torch_state.py write|read FOLDER

`write` makes a PyTorch VAE under other names (encoder.*, heads.*, decoder.*), its state dict as safetensors, images,
and what it reconstructs of them. `read` compares that with gen-run's result, and the file that gen-run wrote with the
state dict, name by name: PyTorch loads it strictly.
"""
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch_equal import read_safetensors, write_safetensors

folder = pathlib.Path(sys.argv[2])
torch.manual_seed(1)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU())
        self.heads = nn.ModuleDict({"mean": nn.Linear(400, 20), "log_variance": nn.Linear(400, 20)})
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.heads["mean"](self.encoder(x)))


net = Vae()
images = torch.rand(3, 784)
if sys.argv[1] == "write":
    folder.mkdir(parents=True)
    write_safetensors(folder / "torch.safetensors", {name: value.numpy() for name, value in net.state_dict().items()})
    numpy.save(folder / "images.npy", images.numpy())
else:
    result = torch.tensor(numpy.load(folder / "x.npy"))
    print("difference", "small" if (result - net(images)).abs().max() < 1e-6 else "large")
    state = {name: torch.tensor(value) for name, value in read_safetensors(folder / "back.safetensors").items()}
    print("equal", all(torch.equal(value, state[name]) for name, value in net.state_dict().items()))
    print(net.load_state_dict(state, strict=True))
