"""clang-tidy on the sources of one folder: python3 tidy.py ROOT BUILD FOLDER [WITHOUT...]

A file that passed is not checked again until it, a header of the project or the configuration changes: the
build folder keeps a stamp for each.
"""
import hashlib
import json
import pathlib
import subprocess
import sys

root, build, folder, without = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]


def digest(paths):
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path).encode() + path.read_bytes())
    return total.hexdigest()


headers = [path for name in ("dialect", "passes", "runtime", "frontend", "tools")
           for pattern in ("*.h", "*.hpp", "*.td") for path in (root / name).rglob(pattern)]
shared = digest([*headers, root / ".clang-tidy"])
commands = json.loads((build / "compile_commands.json").read_text())
sources = sorted({pathlib.Path(command["file"]) for command in commands})
files = [path for path in sources if path.is_relative_to(root / folder)
         and not any(path.is_relative_to(root / other) for other in without)]
stamps = build / "test" / "tidy"
stamps.mkdir(parents=True, exist_ok=True)

bad = 0
for path in files:
    key = digest([path]) + shared
    stamp = stamps / (str(path.relative_to(root)).replace("/", "-") + ".ok")
    if stamp.exists() and stamp.read_text() == key:
        continue
    run = subprocess.run(["clang-tidy-22", "-quiet", "-p", build, path], capture_output=True, text=True)
    if run.returncode:
        bad += 1
        print(run.stdout, run.stderr)
    else:
        stamp.write_text(key)
print(f"{len(files)} files, {bad} with findings")
sys.exit(bool(bad) or not files)
