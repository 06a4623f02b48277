"""Fails if a shared object has SIZE bytes or more, or needs other libraries than the C library's: shipped.py FILE SIZE"""
import os
import re
import subprocess
import sys

path, size = sys.argv[1], int(sys.argv[2])
dynamic = subprocess.run(["llvm-readelf", "--dynamic", path], check=True, capture_output=True, text=True).stdout
needed = re.findall(r"Shared library: \[(.*)\]", dynamic)
foreign = [name for name in needed if not re.match(r"(libc|libm|ld-linux-x86-64|libpthread|libdl)\.so", name)]
if foreign or os.path.getsize(path) >= size:
    sys.exit(f"{path}: needs {needed}, {os.path.getsize(path)} bytes; expected libc and libm, less than {size} bytes")
