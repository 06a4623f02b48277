"""Writes .npy files, good and bad, to the current folder; `check Y SUM` checks results of good.npy."""
import math
import struct
import sys


def write(path, descr, shape, data, fortran=False):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}".encode()
    header += b" " * ((-len(header) - 11) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


def read(path):
    data = open(path, "rb").read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - start) // 4}f", data[start:])


if sys.argv[1:2] == ["check"]:
    y, total = read(sys.argv[2]), read(sys.argv[3])
    assert len(y) == 12 and all(math.isclose(v, math.exp(i), rel_tol=1e-6) for i, v in enumerate(y)), y
    assert total == (66.0,), total
else:
    numbers = struct.pack("<12f", *range(12))
    write("good.npy", "<f4", (3, 4), numbers)
    write("double.npy", "<f8", (3, 4), bytes(96))
    write("rank.npy", "<f4", (12,), numbers)
    write("short.npy", "<f4", (3, 4), numbers[:20])
    write("fortran.npy", "<f4", (3, 4), numbers, fortran=True)
    write("none.npy", "<f4", (0, 4), b"")
    write("nan.npy", "<f4", (1, 4), struct.pack("<4f", math.nan, math.inf, -math.inf, 1))
    write("vast.npy", "<f4", (1 << 60, 0), b"")
    open("text.npy", "w").write("hello")
