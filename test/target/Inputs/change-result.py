# Changes the first number of the first stored result of a file (test/gpu/StoredCalls.h) by a bit of its mantissa.
import sys

path = sys.argv[1]
data = bytearray(open(path, "rb").read())
at = data.index(b"\n") + 1  # behind the number of calls


def line():
    global at
    start, at = at, data.index(b"\n", at) + 1
    return data[start : at - 1].decode().split()


def tensor():
    """Passes the tensor; returns where its bytes begin."""
    global at
    sizes = line()[3:]
    start, count = at, 1
    for size in sizes:
        count *= int(size)
    at += count * 4 + 1
    return start


entry, _, arguments, _ = line()
assert entry.endswith("_f32_dynamic"), entry
for _ in range(int(arguments)):
    tensor()
data[tensor() + 1] ^= 0x80
open(path, "wb").write(data)
