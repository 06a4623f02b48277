"""Kernels of rows (softmax, normalization and their gradients) beside PyTorch's, called in turns in one process.

    python3 test/benchmark/rowwise.py --bin build/release/bin --runtime build/release/runtime/libgen_runtime.so

Needs torch and numpy. Prints a table in Markdown: the shortest time of a call of each, and the largest difference
between the results, as a part of the largest number.
"""
import argparse
import ctypes
import pathlib
import subprocess
import tempfile
import time

import torch
from torch.nn import functional as F


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_uint32), ("rank", ctypes.c_uint32),
                ("shape", ctypes.c_int64 * 8)]


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("seed", ctypes.c_uint64), ("threads", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("parallel_for", ctypes.c_void_p), ("parallel_context", ctypes.c_void_p)]


def view(tensor):
    return Tensor(tensor.data_ptr(), 0, tensor.dim(), (ctypes.c_int64 * 8)(*tensor.shape))


def text(shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


class Compiled:
    """One entry of a compiled model, called with the same inputs again and again."""

    def __init__(self, args, module, inputs, outputs):
        self.library = ctypes.CDLL(str(args.runtime))
        self.library.gen_status_message.restype = ctypes.c_char_p
        for name in ("gen_model_open", "gen_session_create", "gen_session_call_into"):
            getattr(self.library, name).restype = ctypes.c_void_p
        with tempfile.TemporaryDirectory() as folder:
            source, artefact = pathlib.Path(folder, "model.mlir"), pathlib.Path(folder, "model.so")
            source.write_text(module)
            subprocess.run([args.bin / "gencc", source, "-o", artefact], check=True)
            model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
            self.check(self.library.gen_model_open(str(artefact).encode(), ctypes.byref(model)))
        options = SessionOptions(ctypes.sizeof(SessionOptions), 0, args.threads, 0, None, None)
        self.check(self.library.gen_session_create(model, ctypes.byref(options), ctypes.byref(self.session)))
        self.results = [torch.empty(shape) for shape in outputs]
        self.inputs = inputs  # keeps them alive
        self.arguments = ((Tensor * len(inputs))(*map(view, inputs)), len(inputs),
                          (Tensor * len(outputs))(*map(view, self.results)), len(outputs))

    def check(self, status):
        if status:
            raise RuntimeError(self.library.gen_status_message(ctypes.c_void_p(status)).decode())

    def __call__(self):
        self.check(self.library.gen_session_call_into(self.session, b"main", *self.arguments))
        return self.results


def forward(op, shapes):
    """An entry that is one op; $0, $1, ... are the types."""
    types = [text(shape) for shape in shapes]
    for number, type in enumerate(types):
        op = op.replace(f"${number}", type)
    arguments = ", ".join(f"%{name}: {type}" for name, type in zip("xsb", types))
    return f"func.func @main({arguments}) -> {types[0]} {{\n  {op}\n  return %y : {types[0]}\n}}\n"


def gradient(op, shapes):
    """An entry that gives the op's result and the gradients of sum(dy * result) by all operands; dy comes last."""
    types = [text(shape) for shape in shapes]
    for number, type in enumerate(types):
        op = op.replace(f"${number}", type)
    names = [f"%{name}" for name in "xsb"[:len(shapes)]]
    arguments = ", ".join(f"{name}: {type}" for name, type in zip([*names, "%dy"], [*types, types[0]]))
    axes = list(range(len(shapes[0])))
    results = ", ".join(types)
    return f"""func.func @main({arguments}) -> ({types[0]}, {results}) {{
  {op}
  %p = gen.mul %y, %dy : ({types[0]}, {types[0]}) -> {types[0]}
  %l = gen.reduce_sum %p axes {axes} : {types[0]} -> tensor<f32>
  %g:{len(shapes)} = gen.gradient %l wrt {", ".join(names)} : tensor<f32>, {results} -> {results}
  return %y, {", ".join(f"%g#{i}" for i in range(len(shapes)))} : {types[0]}, {results}
}}
"""


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


def shortest(functions, seconds):
    """The shortest time of a call of each, in turns."""
    best = [float("inf")] * len(functions)
    for function in functions:
        function()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for number, function in enumerate(functions):
            for _ in range(5):
                start = time.perf_counter()
                function()
                best[number] = min(best[number], time.perf_counter() - start)
    return best


def difference(ours, theirs):
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs))


def show(name, ours, theirs, seconds):
    apart = difference(ours(), theirs())
    mine, peer = shortest([ours, theirs], seconds)
    print(f"| {name} | {mine * 1e6:.1f} | {peer * 1e6:.1f} | {peer / mine:.2f} | {apart:.1e} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--runtime", type=pathlib.Path, required=True)
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
        ours = Compiled(args, forward(op, shapes), inputs, shapes[:1])
        with torch.no_grad():
            show(name, ours, lambda: [function(*inputs)], args.seconds)
        dy = torch.randn(shapes[0])
        ours = Compiled(args, gradient(op, shapes), [*inputs, dy], [shapes[0], *shapes])
        leaves = [x.clone().requires_grad_() for x in inputs]

        def theirs():
            y = function(*leaves)
            return [y.detach(), *torch.autograd.grad(y, leaves, dy)]

        show(name + ", with gradients", ours, theirs, args.seconds)


main()
