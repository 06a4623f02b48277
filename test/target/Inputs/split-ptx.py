# Splits the PTX of an artefact, one module a file.
import re
import sys

modules = re.split(r"(?m)^(?=\.version)", open(sys.argv[1]).read())[1:]
if len(modules) != len(sys.argv) - 2:
    sys.exit(f"{sys.argv[1]}: {len(modules)} modules")
for path, module in zip(sys.argv[2:], modules):
    with open(path, "w") as file:
        file.write(module)
