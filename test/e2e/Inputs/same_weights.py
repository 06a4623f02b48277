"""python3 same_weights.py A B: fails unless two safetensors files hold the same tensors, bit for bit. Their metadata may
differ."""
import json
import sys


def tensors(path):
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[8 + size:][slice(*t["data_offsets"])]) for name, t in header.items()}


a, b = (tensors(path) for path in sys.argv[1:])
different = [name for name in a.keys() | b.keys() if a.get(name) != b.get(name)]
print(f"{len(a)} tensors, {len(different)} differ", *different[:5])
sys.exit(bool(different) or not a)
