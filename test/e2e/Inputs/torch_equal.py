"""The zoo's benchmark workloads against their definitions in PyTorch:  torch_equal.py FOLDER [WORKLOAD...]

PEERS_DIR holds models.py: build(NAME) gives a module with its fixed seed and its inputs. Both sides start from the
module's weights and run once. Without names: every workload of the zoo, one line each. The rules, with "close" for a
largest difference of at most 1e-4 of the largest value:

- Results are close.
- After a training step, gradients are close (they are read from Adam's first moments), and so are buffers.
- So are variables, to what Adam makes of those gradients, learning_rate * g / (|g| + epsilon) in its first step, and to
  PyTorch's but for elements whose gradient is below 1e-3 of the variable's largest or 100 epsilon: rounding decides
  there about the sign or the size of the step. Such elements move by one step at most.
- A network whose millions of units all have a normal pre-activation meets the kink of its ReLUs: a unit at 1e-6 gets
  another slope by the rounding of f32, and one changes a gradient by 1e-2 (PyTorch's in f32 and in f64 differ so, too).
  Such a workload (AWAY_FROM_KINKS) gives its results from its own start, and its step from one where no unit is near 0.
"""
import json
import os
import pathlib
import struct
import subprocess
import sys

import numpy
import torch

sys.path.insert(0, os.environ["PEERS_DIR"])
import models  # noqa: E402  (the peers' module)

TOLERANCE = 1e-4
SMALL_GRADIENT = 1e-3
KINK = 1e-2  # as part of the layer's largest pre-activation
DTYPES = {"f32": numpy.float32, "f64": numpy.float64, "i32": numpy.int32, "i64": numpy.int64}
SAFETENSORS = {"F32": numpy.float32, "F64": numpy.float64, "I32": numpy.int32, "I64": numpy.int64}
NAMES = {numpy.dtype(dtype): name for name, dtype in SAFETENSORS.items()}


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{command[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": NAMES[array.dtype], "shape": array.shape, "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(array.tobytes())


def read_safetensors(path):
    data = numpy.memmap(path, numpy.uint8, "r")
    start = 8 + int(data[:8].view("<u8")[0])
    header = json.loads(bytes(data[8:start]))
    header.pop("__metadata__", None)
    return {name: data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]]
            .view(SAFETENSORS[entry["dtype"]]).reshape(entry["shape"]) for name, entry in header.items()}


def difference(got, wanted, name):
    """The largest difference relative to the largest wanted value."""
    got, wanted = numpy.asarray(got, numpy.float64), wanted.astype(numpy.float64)
    assert got.shape == wanted.shape, f"{name}: expected shape {wanted.shape}, got {got.shape}"
    if not wanted.size:
        return 0.0
    assert numpy.isfinite(got).all(), f"{name}: not all finite"
    return float(abs(got - wanted).max() / max(abs(wanted).max(), 1e-30))


def dcgan_away_from_kinks(step, inputs):
    """Images above 0, first and last weights of one sign a channel, and normalized units around 1 or -1."""
    with torch.no_grad():
        inputs[0].add_(1.5).mul_(0.5)
        step.g[12].weight.abs_().mul_(0.25)
        sign = step.d[0].weight[:, :1, :1, :1].sign()
        step.d[0].weight.abs_().mul_(sign)
        for norm in [*step.g, *step.d]:
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.weight.mul_(0.1)
                norm.bias.copy_(torch.arange(len(norm.bias)) % 2 * 2 - 1)


def transformer_away_from_kinks(step, inputs):
    """Units around 4 or -4, and what the first ones add to the next layer taken away there. Embeddings are small: scores in
    the hundreds multiply rounding, so that both sides' gradients differ from those in f64 by 1e-4."""
    with torch.no_grad():
        for table in (step.net.src, step.net.tgt):
            table.weight.mul_(0.1)
        for layers in step.modules():
            if isinstance(layers, torch.nn.Sequential) and isinstance(layers[1], torch.nn.ReLU):
                layers[0].bias.copy_(4.0 - torch.arange(len(layers[0].bias)) % 2 * 8)
                layers[2].bias.copy_(-layers[2].weight @ layers[0].bias.relu())


AWAY_FROM_KINKS = {"train_dcgan_b32": dcgan_away_from_kinks, "train_transformer_b8": transformer_away_from_kinks}


class Workload:
    def __init__(self, name, folder):
        self.name, self.folder = name, folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.worst = {}
        self.module, self.inputs = models.build(name)
        run("gen-zoo", "export", name, "-o", self.folder / "model.mlir")
        run("gencc", self.folder / "model.mlir", "-o", self.folder / "model.so")
        lines = [json.loads(line) for line in run("gen-run", self.folder / "model.so", "--list", "--json").splitlines()]
        self.entry = next(line for line in lines if line.get("entry") == "main")
        self.variables = {line["variable"]: line["type"] for line in lines if "variable" in line}

    def close(self, kind, got, wanted, name):
        error = difference(got, wanted, name)
        self.worst[kind] = max(self.worst.get(kind, 0), error)
        assert error <= TOLERANCE, f"{kind} {name}: difference of {error:.1e} of the largest value"

    def state(self):
        return {name: tensor.detach().numpy().copy() for name, tensor in self.module.state_dict().items()}

    def ours(self, state):
        """Results and variables of one run from that state; what PyTorch lacks is the optimizer's or random numbers', and 0."""
        lacking = [name for name, _ in self.module.named_parameters() if name not in self.variables]
        assert not lacking, f"variables that the model lacks: {', '.join(lacking)}"
        start = {}
        for name, text in self.variables.items():
            dtype, shape = text.rstrip("]").split("[")
            dims = [int(size) for size in shape.split(",") if size.strip()]
            start[name] = state[name] if name in state else numpy.zeros(dims, DTYPES[dtype])
            assert name in state or name.startswith(("adam", "random.")), f"variable that PyTorch lacks: {name}"
        write_safetensors(self.folder / "start.safetensors", start)
        arguments = []
        for number, (tensor, info) in enumerate(zip(self.inputs, self.entry["inputs"], strict=True)):
            path = self.folder / f"{number}.npy"
            numpy.save(path, tensor.numpy().astype(DTYPES[info["type"].split("[")[0]]))
            arguments.append(f"--input={info['name']}={path}")
        run("gen-run", self.folder / "model.so", *arguments, "--load", self.folder / "start.safetensors", "--output-dir",
            self.folder, "--save", self.folder / "end.safetensors")
        results = [numpy.load(self.folder / f"{result['name']}.npy") for result in self.entry["results"]]
        return results, read_safetensors(self.folder / "end.safetensors")

    def theirs(self):
        with torch.set_grad_enabled(self.name in models.TRAINING):
            results = self.module(*self.inputs)
        return [tensor.detach().numpy() for tensor in (results if isinstance(results, tuple) else (results,))]

    def move_from_kinks(self):
        """To a start where no unit is near 0: asserted of every pre-activation of the step to come."""
        self.module, self.inputs = models.build(self.name)
        AWAY_FROM_KINKS[self.name](self.module, self.inputs)

        def expect_no_kink(_, arguments):
            size = arguments[0].detach().abs()
            assert size.min() > KINK * size.max(), f"a unit of {size.min():.1e} among units of {size.max():.1e}"

        for layer in self.module.modules():
            if isinstance(layer, (torch.nn.ReLU, torch.nn.LeakyReLU)):
                layer.register_forward_pre_hook(expect_no_kink)

    def check(self):
        if self.name in AWAY_FROM_KINKS:
            results, _ = self.ours(self.state())
            self.check_results(results)
            self.move_from_kinks()
        before = self.state()
        results, variables = self.ours(before)
        self.check_results(results)
        if self.name in models.TRAINING:
            self.check_step(before, variables)

    def check_results(self, results):
        for got, wanted, info in zip(results, self.theirs(), self.entry["results"], strict=True):
            self.close("result", got, wanted, info["name"])

    def check_step(self, before, variables):
        moments = {name.split(".", 1)[1].removesuffix(".exp_avg"): array for name, array in variables.items()
                   if name.startswith("adam") and name.endswith(".exp_avg")}
        states = {}
        for optimizer in self.module.opts.values():
            states.update(optimizer.state)
        for name, parameter in self.module.named_parameters():
            wanted = states[parameter]["exp_avg"].numpy()
            self.close("gradient", moments[name], wanted, name)
            after, got = parameter.detach().numpy(), variables[name]
            lr, eps, beta = self.module.lr, self.module.eps, self.module.betas[0]
            ours = moments[name].astype(numpy.float64) / (1 - beta)
            self.close("step", got, before[name] - lr * ours / (abs(ours) + eps), name)
            size = abs(wanted) / (1 - beta)
            known = size > numpy.maximum(SMALL_GRADIENT * size.max(), 100 * eps)
            self.close("variable", numpy.where(known, got, after), after, name)
            step = abs(got.astype(numpy.float64) - before[name]).max()
            assert step <= 1.001 * lr + 1e-6 * abs(after).max(), f"{name}: moved by {step:.1e}"
        for name, buffer in self.module.named_buffers():
            if name in variables:
                self.close("buffer", variables[name], buffer.numpy(), name)


def main():
    folder, zoo = pathlib.Path(sys.argv[1]), [line.split()[0] for line in run("gen-zoo", "list").splitlines()
                                              if "benchmark:" in line]
    failed = 0
    for name in zoo if len(sys.argv) < 3 else sys.argv[2:]:
        try:
            assert name in models.WORKLOADS, "no such workload in models.py"
            workload = Workload(name, folder)
            workload.check()
            print(f"{name}: equal;", ", ".join(f"{kind} {error:.1e}" for kind, error in workload.worst.items()), flush=True)
        except AssertionError as error:
            failed += 1
            print(f"{name}: DIFFERS: {error}", flush=True)
        finally:
            for path in (folder / name).glob("*"):  # some weights are half a gigabyte
                path.unlink()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
