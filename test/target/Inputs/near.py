"""Compares two arrays, f32 or f64: python3 near.py A.npy B.npy LIMIT; exit status 1 if elements differ by more than LIMIT."""
import array
import sys


def elements(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 10 + int.from_bytes(data[8:10], "little")
    header = data[10:start].decode()
    wide = "<f8" in header
    return header.replace("<f8", "<f4"), array.array("d" if wide else "f", data[start:])


(shape_a, a), (shape_b, b) = elements(sys.argv[1]), elements(sys.argv[2])
worst = max(abs(x - y) for x, y in zip(a, b))
print(f"{len(a)} elements, largest difference {worst:g}")
sys.exit(shape_a != shape_b or not len(a) or not worst <= float(sys.argv[3]))
