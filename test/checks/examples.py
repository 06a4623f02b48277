"""The C++ of the README stands word for word in the sources it shows: python3 examples.py ROOT

Every block of README.md that begins with ```cpp is looked for, line by line and without blanks, in one file of the
project's models and examples.
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
sources = [path for folder in ("frontend", "docs/examples") for path in (root / folder).rglob("*.[ch]pp")]


def lines(text):
    return [re.sub(r"\s+", "", line.split("//")[0]) for line in text.splitlines()]


blocks, bad = re.findall(r"```cpp\n(.*?)```", (root / "README.md").read_text(), re.S), []
for block in blocks:
    wanted = [line for line in lines(block) if line and line != "..."]
    missing = min(([line for line in wanted if line not in "".join(lines(path.read_text()))] for path in sources), key=len)
    bad += [f"README.md: not in any source: {line}" for line in missing]
print("\n".join(bad) or f"{len(blocks)} blocks checked")
sys.exit(bool(bad) or not blocks)
