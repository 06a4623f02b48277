"""Compares files of JSON lines: python3 near-lines.py A B LIMIT; exit status 1 unless the lines are as many, and the same but
for numbers that differ by LIMIT of the first, at most."""
import json
import sys


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def near(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= float(sys.argv[3]) * abs(a)
    return a == b


left, right = lines(sys.argv[1]), lines(sys.argv[2])
same = len(left) == len(right) > 0 and all(
    a.keys() == b.keys() and all(near(a[key], b[key]) for key in a) for a, b in zip(left, right))
if not same:
    print(left, right, sep="\n")
sys.exit(not same)
