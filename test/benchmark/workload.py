"""What the benchmarks of the zoo's workloads share: their inputs, and running our programs."""
import json
import math
import random
import re
import struct
import subprocess


def read_npy(path):
    data = path.read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    assert re.search(rb"'descr': '<f4'", data), f"{path}: expected float32"
    return struct.unpack(f"<{len(data[start:]) // 4}f", data[start:])


def write_npy(path, type):
    """Random values of a type as gen-run prints it: f32[128, 20] or i64[1, 64] (small numbers: indices)."""
    kind, shape = re.fullmatch(r"(f32|i64)\[(.*)\]", type).groups()
    count = math.prod(map(int, filter(None, shape.split(", "))))
    header = f"{{'descr': '{'<f4' if kind == 'f32' else '<i8'}', 'fortran_order': False, 'shape': ({shape},), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = [random.gauss(0, 1) if kind == "f32" else random.randrange(2) for _ in range(count)]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{count}{'f' if kind == 'f32' else 'q'}", *values))


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def write_inputs(program, artefact, folder):
    """Random inputs of an artefact's entry main, whose sizes are numbers; and the options of gen-run that name them."""
    entries = [json.loads(line) for line in run(program, artefact, "--list", "--json").splitlines()]
    options = []
    for tensor in next(entry["inputs"] for entry in entries if entry.get("entry") == "main"):
        path = folder / f"{tensor['name']}.npy"
        write_npy(path, tensor["type"])
        options.append(f"--input={tensor['name']}={path}")
    return options


def benchmark(program, artefact, options):
    """gen-run's line of times of the entry main."""
    return json.loads(run(program, artefact, "--entry=main", "--benchmark", "--json", *options).splitlines()[-1])
