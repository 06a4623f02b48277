"""Writes the first row of a matrix of f32: first_row.py FROM.npy TO.npy"""
import pathlib
import re
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
start = 10 + int.from_bytes(data[8:10], "little")
rows, columns = re.search(rb"\((\d+), (\d+)\)", data[:start]).groups()
header = data[10:start].replace(b"(" + rows, b"(1").rstrip()
header += b" " * (start - 11 - len(header)) + b"\n"
pathlib.Path(sys.argv[2]).write_bytes(data[:10] + header + data[start:start + 4 * int(columns)])
