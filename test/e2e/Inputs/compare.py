"""Calls an entry without arguments, compiled and interpreted, and compares results and variables afterwards:
compare.py MODEL ENTRY VARIABLE...    (MODEL.so and MODEL.mlir)"""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

FORMATS = {"F32": "f", "F64": "d", "I64": "q", "I32": "i", "I8": "b", "BOOL": "b"}
NPY = {"<f4": "f", "<f8": "d", "<i8": "q", "<i4": "i", "|i1": "b", "|b1": "b"}


def unpack(code, data):
    return list(struct.unpack(f"<{len(data) // struct.calcsize('<' + code)}{code}", data))


def read_npy(path):
    data = path.read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return unpack(NPY[re.search(rb"'descr': '(...)'", data).group(1).decode()], data[start:])


def read_safetensors(path):
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {name: unpack(FORMATS[entry["dtype"]], data[start:][slice(*entry["data_offsets"])])
            for name, entry in header.items()}


model, entry, variables = sys.argv[1], sys.argv[2], sys.argv[3:]
out = pathlib.Path(f"{model}.{entry}")
subprocess.run(["gen-run", f"{model}.so", f"--entry={entry}", f"--output-dir={out}",
                f"--save={out}.safetensors"], check=True, stdout=subprocess.DEVNULL)
wanted = out / "wanted"
subprocess.run(["gen-opt", f"{model}.mlir", f"--interpret={entry}", f"--output-dir={wanted}",
                *(f"--variable={name}" for name in variables)], check=True, stdout=subprocess.DEVNULL)
got = {path.stem: read_npy(path) for path in out.glob("*.npy")}
saved = read_safetensors(pathlib.Path(f"{out}.safetensors"))
got.update({name: saved[name] for name in variables})
expected = {path.stem: read_npy(path) for path in wanted.glob("*.npy")} if os.path.isdir(wanted) else {}
same = got.keys() == expected.keys() and all(
    len(got[name]) == len(values) and all(abs(x - y) <= 1e-6 * max(1, abs(y)) for x, y in zip(got[name], values))
    for name, values in expected.items())
sys.exit(None if same else f"{entry}: expected {expected}, got {got}")
