"""Runs a command, shows what it says, and fails unless it ends with this exit status: status.py STATUS COMMAND..."""
import subprocess
import sys

result = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
sys.stdout.write(result.stdout.decode(errors="replace"))
if result.returncode != int(sys.argv[1]):
    sys.exit(f"exit status {result.returncode}, expected {sys.argv[1]}: {' '.join(sys.argv[2:])}")
