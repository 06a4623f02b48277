"""Convolutions and attention of all workloads, forward and gradients, beside PyTorch's, called in turns in one process.

    PYTHON test/benchmark/layers.py [--threads 1 2] [--workloads NAME...] [--only convolution|attention] [--seconds 1]

PYTHON needs torch and numpy. Every convolution of a workload of the zoo, its two gradients where it is trained, and every
attention is compiled alone and measured in turns with PyTorch's (oneDNN) on the same memory, channels last. In inference a
weight is a variable, which ours has in its own order. Prints the shortest time of a call of each, GFLOP/s of ours, and the
largest difference of the results as a part of the largest number (none where the weight is ours). Let nothing else run
meanwhile.
"""
import argparse
import collections
import math
import re
import subprocess
import tempfile

import torch
from torch.nn import functional as F

from compiled import Compiled, add_places, difference, forward, gradient, shortest, text

WORKLOADS = ("cnn_lenet_b1", "cnn_lenet_b128", "resnet18_b1", "dcgan_g_b1", "dcgan_g_b32", "transformer_b8", "bert_base_b1",
             "gpt2_prefill_b1", "ddpm_unet_b1", "ddpm_unet_b8", "train_gpt_tiny_b16", "train_cnn_lenet_b128",
             "train_dcgan_b32", "train_transformer_b8", "train_ddpm_unet_b4")
OP = re.compile(r"gen\.(convolution\w*|attention) [^:]*?((?:causal )?scale \S+|strides.*?) : "
                r"\((tensor<[^>]*>), (tensor<[^>]*>)(?:, tensor<[^>]*>)*\) -> \(?(tensor<[^>]*>)")
Layer = collections.namedtuple("Layer", "kind attributes operands result is_weight")
Measured = collections.namedtuple("Measured", "ours theirs gflop apart")


def shape(tensor):
    return tuple(map(int, tensor[len("tensor<"):-1].split("x")[:-1]))


def layers(args, workload):
    """The layers of a workload, before images are turned to channels last."""
    with tempfile.TemporaryDirectory() as folder:
        for command in (["gen-zoo", "export", workload, "-o", f"{folder}/model.mlir"],
                        ["gencc", f"{folder}/model.mlir", "--dump-after=gen-decompose", "-o", f"{folder}/model.so"]):
            done = subprocess.run([args.bin / command[0], *command[1:]], check=True, capture_output=True, text=True)
    last = done.stderr.rpartition("IR Dump After")[2]  # without what no one uses
    for kind, attributes, *tensors in OP.findall(last):
        *operands, result = map(shape, tensors)
        is_weight = not workload.startswith("train_") and kind.startswith("convolution")
        if kind != "attention_gradient":  # is measured with the attention
            yield Layer(kind, attributes, tuple(operands), result, is_weight)


def numbers(layer, name):
    return [int(word) for word in re.search(name + r" \[([^\]]*)\]", layer.attributes)[1].split(",")]


def turned(sizes):
    """Of an image to channels last."""
    return (sizes[0], *sizes[2:], sizes[1])


def turned_weight(sizes):
    return (*sizes[2:], sizes[1], sizes[0])


class Convolution:
    def __init__(self, layer):
        is_gradient = layer.kind == "convolution_weight_gradient"
        self.layer = layer
        self.weight = layer.result if is_gradient else layer.operands[1]
        roles = (turned, turned) if is_gradient else (turned, turned_weight)
        self.shapes = [role(sizes) for role, sizes in zip(roles, layer.operands)]
        self.result = (turned_weight if is_gradient else turned)(layer.result)
        output = {"convolution": layer.result, "convolution_transpose": layer.operands[0]}.get(layer.kind, layer.operands[1])
        self.gflop = 2e-9 * math.prod(output) * math.prod(self.weight[1:])

    def module(self):
        read, arguments = "", [f"%x: {text(self.shapes[0])}", f"%w: {text(self.shapes[1])}"]
        variable = ""
        if self.layer.is_weight:
            variable, read = f"gen.variable @w : {text(self.shapes[1])}\n", f"  %w = gen.read @w : {text(self.shapes[1])}\n"
            arguments.pop()
        return (f"{variable}func.func @main({', '.join(arguments)}) -> {text(self.result)} {{\n{read}"
                f"  %y = gen.{self.layer.kind} %x, %w {self.layer.attributes} channels_last : "
                f"({text(self.shapes[0])}, {text(self.shapes[1])}) -> {text(self.result)}\n"
                f"  return %y : {text(self.result)}\n}}\n")

    def peer(self, x, w):
        """PyTorch's function of the same memory; its result in our order of axes."""
        low, high, strides, dilations = (numbers(self.layer, name) for name in ("low", "high", "strides", "dilations"))
        groups = re.search(r"groups (\d+)", self.layer.attributes)
        rest = (strides, low, dilations, int(groups[1]) if groups else 1)
        x = x.permute(0, 3, 1, 2)
        if self.layer.kind == "convolution_weight_gradient":
            if low != high:
                x, rest = F.pad(x, (low[1], high[1], low[0], high[0])), (strides, 0, *rest[2:])
            y = w.permute(0, 3, 1, 2)
            return lambda: torch.nn.grad.conv2d_weight(x, self.weight, y, *rest).permute(2, 3, 1, 0)
        w = w.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        if self.layer.kind == "convolution":
            if low != high:
                x, rest = F.pad(x, (low[1], high[1], low[0], high[0])), (strides, 0, *rest[2:])
            return lambda: F.conv2d(x, w, None, *rest).permute(0, 2, 3, 1)
        more = [size - ((y - 1) * stride - l - h + dilation * (k - 1) + 1) for size, y, stride, l, h, dilation, k in zip(
            self.layer.result[2:], self.layer.operands[0][2:], strides, low, high, dilations, self.weight[2:])]
        return lambda: F.conv_transpose2d(x, w, None, strides, low, more, rest[3], dilations).permute(0, 2, 3, 1)

    def measure(self, args, threads):
        inputs = [torch.rand(sizes) - 0.5 for sizes in self.shapes]
        given = inputs[:1] if self.layer.is_weight else inputs
        ours = Compiled(args, threads, self.module(), given, [torch.empty(self.result)])
        theirs = self.peer(*inputs)
        with torch.no_grad():
            apart = None if self.layer.is_weight else difference(ours(), [theirs()])
            yield "", Measured(*shortest([ours, theirs], args.seconds), self.gflop, apart)


class Attention:
    def __init__(self, layer):
        self.layer, self.shapes = layer, (*layer.operands, layer.operands[1])
        (batch, queries, heads, depth), keys = self.shapes[0], self.shapes[1][1]
        self.is_causal = "causal" in layer.attributes
        self.gflop = 2e-9 * batch * heads * queries * keys * 2 * depth / (2 if self.is_causal and queries == keys else 1)

    def measure(self, args, threads):
        op = f"%y, %l = gen.attention %x, %s, %b {self.layer.attributes} : ($0, $1, $2) -> ($0, {text(self.logsumexp())})"
        scale = float(re.search(r"scale (\S+)", self.layer.attributes)[1])
        inputs = [torch.randn(sizes) for sizes in self.shapes]

        def attend(*tensors):
            heads_first = (tensor.transpose(1, 2) for tensor in tensors)
            return F.scaled_dot_product_attention(*heads_first, is_causal=self.is_causal, scale=scale).transpose(1, 2)
        ours = Compiled(args, threads, forward(op, self.shapes), inputs, [torch.empty(self.shapes[0])])
        with torch.no_grad():
            apart = difference(ours(), [attend(*inputs)])
            yield "", Measured(*shortest([ours, lambda: attend(*inputs)], args.seconds), self.gflop, apart)
        dy, leaves = torch.randn(self.shapes[0]), [tensor.clone().requires_grad_() for tensor in inputs]

        def theirs():
            y = attend(*leaves)
            return [y.detach(), *torch.autograd.grad(y, leaves, dy)]
        outputs = [torch.empty(sizes) for sizes in (self.shapes[0], *self.shapes)]
        ours = Compiled(args, threads, gradient(op, self.shapes), [*inputs, dy], outputs)
        apart = difference(ours(), theirs())
        yield ", with gradients", Measured(*shortest([ours, theirs], args.seconds), 3.5 * self.gflop, apart)

    def logsumexp(self):
        batch, queries, heads, _ = self.shapes[0]
        return (batch, heads, queries)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_places(parser)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--workloads", nargs="+", default=WORKLOADS)
    parser.add_argument("--only", default="", help="layers whose name contains it")
    parser.add_argument("--seconds", type=float, default=1, help="per row of the table")
    args = parser.parse_args()
    users = collections.defaultdict(dict)
    for workload in args.workloads:
        for layer in layers(args, workload):
            if args.only in layer.kind:
                users[layer][workload] = None
    torch.manual_seed(1)
    ratios = collections.defaultdict(list)
    print("| layer | shape | threads | gencc, us | PyTorch, us | ratio | GFLOP/s | difference | workloads |")
    print("|---|---|--:|--:|--:|--:|--:|--:|---|")
    for layer, names in users.items():
        for threads in args.threads:
            torch.set_num_threads(threads)
            measured = (Attention if layer.kind == "attention" else Convolution)(layer).measure(args, threads)
            for suffix, (ours, theirs, gflop, apart) in measured:
                name = layer.kind + (", weight" if layer.is_weight else "") + suffix
                ratios[name, threads].append(theirs / ours)
                sizes = " * ".join("x".join(map(str, operand)) for operand in layer.operands)
                print(f"| {name} | {sizes} | {threads} | {ours * 1e6:.1f} | {theirs * 1e6:.1f} | {theirs / ours:.2f} | "
                      f"{gflop / ours:.0f} | {'' if apart is None else f'{apart:.1e}'} | {', '.join(names)} |", flush=True)
    print("\n| layers | threads | number | geometric mean | least |\n|---|--:|--:|--:|--:|")
    for (name, threads), values in ratios.items():
        mean = math.exp(sum(map(math.log, values)) / len(values))
        print(f"| {name} | {threads} | {len(values)} | {mean:.2f} | {min(values):.2f} |")


if __name__ == "__main__":
    main()
