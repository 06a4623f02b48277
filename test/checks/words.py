"""No paths of one machine and no package hosts in the files, and links between the documents lead somewhere.

python3 words.py ROOT
"""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
FORBIDDEN = re.compile(r"(?<![\w.])/(work|root|home|tmp)/|https?://[\w.]*(debian|pypi|pythonhosted)\.org")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"")

bad, seen = [], 0
files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, check=True, capture_output=True, text=True)
for name in files.stdout.splitlines():
    path = root / name
    if not path.is_file() or path.suffix in (".png", ".gz") or path.name == "words.py":
        continue
    seen += 1
    text = path.read_text(errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if FORBIDDEN.search(line):
            bad.append(f"{name}:{number}: a path or host of one machine: {line.strip()}")
    for match in LINK.finditer(text) if path.suffix == ".md" else ():
        target = match[1] or match[2]
        if "://" not in target and not (path.parent / target).exists():
            bad.append(f"{name}: link to '{target}', which does not exist")
print("\n".join(bad) or f"{seen} files checked")
sys.exit(bool(bad) or not seen)
