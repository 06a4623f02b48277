"""Every RUN line ends in something that can fail: FileCheck, a comparison, -verify-diagnostics, or a named check.

python3 run-lines.py TEST_FOLDER
"""
import pathlib
import re
import sys

CAN_FAIL = re.compile(r"FileCheck|-verify-diagnostics|\b(diff|cmp|grep|test|python3|ctest)\b|\[ |^(not |[\w%/.-]*unit)")

root, bad, seen = pathlib.Path(sys.argv[1]), [], 0
for path in sorted([*root.rglob("*.mlir"), *root.rglob("*.test")]):
    if "Inputs" in path.parts:
        continue
    seen += 1
    text = re.sub(r"\\\n\s*(//|#|;)?\s*RUN:", "", path.read_text())
    commands = [line.strip() for line in re.findall(r"RUN:(.*)", text)]
    checks = [c for c in commands if CAN_FAIL.search(c.split("|")[-1].strip())]
    if not checks:
        bad.append(f"{path}: no RUN line ends in a check")
    elif any("FileCheck" in c for c in commands) and not re.search(r"[A-Z0-9_-]+(-NEXT|-LABEL|-NOT|-DAG|-SAME|-COUNT-\d+)?:", re.sub(r".*RUN:.*", "", text)):
        bad.append(f"{path}: FileCheck without a CHECK line")
print("\n".join(bad) or f"{seen} files checked")
sys.exit(bool(bad) or not seen)
