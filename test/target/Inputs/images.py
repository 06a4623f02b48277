"""Writes 37 images of 784 numbers between 0 and 1: python3 images.py FILE.npy"""
import struct
import sys

COUNT, SIZE = 37, 784
header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({COUNT}, {SIZE}), }}"
header += " " * (-(len(header) + 11) % 64) + "\n"
with open(sys.argv[1], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack(f"<{COUNT * SIZE}f", *((i * 7919 % 1009) / 1009 for i in range(COUNT * SIZE))))
