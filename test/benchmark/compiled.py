"""A compiled model called through the runtime's C interface in this process, beside a function of PyTorch."""
import ctypes
import pathlib
import subprocess
import tempfile
import time


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_uint32), ("rank", ctypes.c_uint32),
                ("shape", ctypes.c_int64 * 8)]


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("seed", ctypes.c_uint64), ("threads", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("parallel_for", ctypes.c_void_p), ("parallel_context", ctypes.c_void_p)]


def add_places(parser):
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--runtime", type=pathlib.Path, default=pathlib.Path("build/release/lib/libgen_runtime.so"))


def view(tensor):
    return Tensor(tensor.data_ptr(), 0, tensor.dim(), (ctypes.c_int64 * 8)(*tensor.shape))


def text(shape):
    return f"tensor<{'x'.join(map(str, [*shape, 'f32']))}>"


class Compiled:
    """One entry of a compiled model, called with the same inputs again and again; `outputs` are where results go."""

    def __init__(self, args, threads, module, inputs, outputs):
        self.library = ctypes.CDLL(str(args.runtime))
        self.library.gen_status_message.restype = ctypes.c_char_p
        for name in ("gen_model_open", "gen_session_create", "gen_session_call_into"):
            getattr(self.library, name).restype = ctypes.c_void_p
        with tempfile.TemporaryDirectory() as folder:
            source, artefact = pathlib.Path(folder, "model.mlir"), pathlib.Path(folder, "model.so")
            source.write_text(module, encoding="utf-8")
            subprocess.run([args.bin / "gencc", source, "-o", artefact], check=True)
            model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
            self.check(self.library.gen_model_open(str(artefact).encode(), ctypes.byref(model)))
        options = SessionOptions(ctypes.sizeof(SessionOptions), 0, threads, 0, None, None)
        self.check(self.library.gen_session_create(model, ctypes.byref(options), ctypes.byref(self.session)))
        self.inputs, self.results = inputs, outputs  # keeps them alive
        self.arguments = ((Tensor * len(inputs))(*map(view, inputs)), len(inputs),
                          (Tensor * len(outputs))(*map(view, outputs)), len(outputs))

    def check(self, status):
        if status:
            raise RuntimeError(self.library.gen_status_message(ctypes.c_void_p(status)).decode())

    def __call__(self):
        self.check(self.library.gen_session_call_into(self.session, b"main", *self.arguments))
        return self.results


def forward(op, shapes):
    """An entry that is one op of %x, %s, %b, the first one's type being the result's; $0, $1, ... are the types."""
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
  %loss = gen.reduce_sum %p axes {axes} : {types[0]} -> tensor<f32>
  %g:{len(shapes)} = gen.gradient %loss wrt {", ".join(names)} : tensor<f32>, {results} -> {results}
  return %y, {", ".join(f"%g#{i}" for i in range(len(shapes)))} : {types[0]}, {results}
}}
"""


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
    """The largest, as a part of the largest number."""
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs))
