"""Adds up the result files of GoogleTest and lit in a folder: python3 count.py FOLDER.

Names each failed test, ends in one line "N passed, N failed", and exits 1 if one failed or none ran.
"""
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
passed, failed = 0, []
for path in sorted(folder.glob("*.gtest.json")):
    for suite in json.loads(path.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            if test.get("failures"):
                failed.append(f"{path.name.split('.')[0]}: {suite['name']}.{test['name']}")
            elif test.get("result") == "COMPLETED":
                passed += 1
for path in sorted(folder.glob("*.lit.json")):
    for test in json.loads(path.read_text())["tests"]:
        if test["code"] in ("PASS", "FLAKYPASS", "XFAIL"):
            passed += 1
        elif test["code"] not in ("UNSUPPORTED", "SKIPPED", "EXCLUDED"):
            failed.append(f"{path.name.split('.')[0]}: {test['name']}")
broken = folder / "broken"
if broken.exists():
    failed += broken.read_text().splitlines()
for name in failed:
    print(f"failed: {name}")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(bool(failed) or not passed)
