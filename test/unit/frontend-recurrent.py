"""What PyTorch computes for the layers of frontend-recurrent.cpp: prints frontend-recurrent.inc.

python3 frontend-recurrent.py > frontend-recurrent.inc     (needs torch, on the CPU)
"""
import contextlib
import importlib
import io

import torch
from torch import nn

with contextlib.redirect_stdout(io.StringIO()):  # it prints its own cases
    oracle = importlib.import_module("frontend-oracle")
print("// Written by frontend-recurrent.py with PyTorch", torch.__version__.split("+")[0])

for name, net, shape in (
        ("kLstm", nn.LSTM(3, 4, 2, batch_first=True), (2, 3, 3)),
        ("kLstmWithoutBias", nn.LSTM(3, 2, bias=False), (2, 3, 3)),
        ("kGru", nn.GRU(3, 4), (3, 2, 3)),
        ("kLstmBothWays", nn.LSTM(3, 2, 2, bidirectional=True), (3, 2, 3)),
        ("kGruBothWays", nn.GRU(3, 2, bidirectional=True, batch_first=True), (2, 3, 3)),
        ("kRnn", nn.RNN(3, 4, 2), (3, 2, 3)),
        ("kRnnRelu", nn.RNN(3, 4, nonlinearity="relu"), (3, 2, 3))):
    x, = oracle.inputs(oracle.signed(10, shape))
    oracle.show_with_gradients(name, oracle.fill(net)(x)[0], [x, *net.parameters()])

# Output and last states of both directions, which start with given ones.
x, hidden, cell = oracle.inputs(oracle.signed(10, (3, 2, 3)), oracle.signed(40, (4, 2, 2)), oracle.signed(41, (4, 2, 2)))
net = oracle.fill(nn.LSTM(3, 2, 2, bidirectional=True))
output, (last_hidden, last_cell) = net(x, (hidden, cell))
everything = torch.cat([part.flatten() for part in (output, last_hidden, last_cell)])
oracle.show_with_gradients("kLstmStates", everything, [x, *net.parameters()])
