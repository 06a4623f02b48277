"""Kernels of rows (softmax, normalization and their gradients) beside PyTorch's, called in turns in one process.

    python3 test/benchmark/rowwise.py

Needs torch and numpy. Prints a table in Markdown: the shortest time of a call of each, and the largest difference
between the results, as a part of the largest number.
"""
import argparse

import torch
from torch.nn import functional as F

from compiled import Compiled, add_places, difference, forward, gradient, shortest


def cases():
    def softmax(x):
        return F.softmax(x, -1)

    def log_softmax(x):
        return F.log_softmax(x, -1)

    for shape in ((1536, 128), (6144, 512), (64, 10)):
        yield f"softmax {shape[0]}x{shape[1]}", "%y = gen.softmax %x axis 1 : $0", [shape], softmax
    yield "log_softmax 512x5000", "%y = gen.log_softmax %x axis 1 : $0", [(512, 5000)], log_softmax
    for shape in ((128, 768), (8192, 768)):
        yield (f"layer_norm {shape[0]}x{shape[1]}", "%y = gen.layer_norm %x, %s, %b epsilon 1.0e-5 : $0, $1",
               [shape, shape[1:], shape[1:]], lambda x, s, b: F.layer_norm(x, s.shape, s, b))
    yield ("layer_norm 16x128x256", "%y = gen.layer_norm %x, %s, %b epsilon 1.0e-5 : $0, $1",
           [(16, 128, 256), (256,), (256,)], lambda x, s, b: F.layer_norm(x, s.shape, s, b))
    # PyTorch's channels last: the same memory, seen as [n, c, h, w].
    yield ("batch_norm 32x32x32x128", "%y, %m, %v = gen.batch_norm %x, %s, %b axis 3 epsilon 1.0e-5 : $0, $1",
           [(32, 32, 32, 128), (128,), (128,)],
           lambda x, s, b: F.batch_norm(x.permute(0, 3, 1, 2), None, None, s, b, True).permute(0, 2, 3, 1))
    yield ("group_norm 8x32x32x128", "%y = gen.group_norm %x, %s, %b groups 32 axis 3 epsilon 1.0e-5 : $0, $1",
           [(8, 32, 32, 128), (128,), (128,)],
           lambda x, s, b: F.group_norm(x.permute(0, 3, 1, 2), 32, s, b).permute(0, 2, 3, 1))


def show(name, ours, theirs, seconds):
    apart = difference(ours(), theirs())
    mine, peer = shortest([ours, theirs], seconds)
    print(f"| {name} | {mine * 1e6:.1f} | {peer * 1e6:.1f} | {peer / mine:.2f} | {apart:.1e} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    add_places(parser)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2, help="per row of the table")
    parser.add_argument("--only", default="", help="rows whose name contains it")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    print("| kernel | ours, us | PyTorch, us | ratio | difference |\n|---|---|---|---|---|")
    for name, op, shapes, function in cases():
        if args.only not in name:
            continue
        inputs = [torch.randn(shape) for shape in shapes]
        ours = Compiled(args, args.threads, forward(op, shapes), inputs, [torch.empty(shapes[0])])
        with torch.no_grad():
            show(name, ours, lambda: [function(*inputs)], args.seconds)
        dy = torch.randn(shapes[0])
        ours = Compiled(args, args.threads, gradient(op, shapes), [*inputs, dy], [torch.empty(shape) for shape in [shapes[0], *shapes]])
        leaves = [x.clone().requires_grad_() for x in inputs]

        def theirs():
            y = function(*leaves)
            return [y.detach(), *torch.autograd.grad(y, leaves, dy)]

        show(name + ", with gradients", ours, theirs, args.seconds)


main()
