# Checks what `ptxas -v` says of kernels: no spilled registers, and limits of registers and shared memory.
import argparse
import re
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--registers", type=int)
parser.add_argument("--shared", type=int)
parser.add_argument("--kernels", default="", help="an expression that is found in their names")
parser.add_argument("files", nargs="+")
arguments = parser.parse_args()

for path in arguments.files:
    text = open(path).read()
    found = re.findall(r"Function properties for (\S+)\n(.*)\n(.*)", text)
    kernels = [kernel for kernel in found if re.search(arguments.kernels, kernel[0])]
    if not kernels:
        sys.exit(f"{path}: no kernel\n{text}")
    for name, stack, used in kernels:
        if not re.search(r"\b0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads", stack):
            sys.exit(f"{path}: {name}: {stack}")
        registers = int(re.search(r"Used (\d+) registers", used)[1])
        shared = re.search(r"(\d+) bytes smem", used)
        if registers > arguments.registers or (shared and int(shared[1]) > arguments.shared):
            sys.exit(f"{path}: {name}: {used}")
