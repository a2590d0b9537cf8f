#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every C file is as clang-format 14 leaves it. Other versions format differently, so without that
one the check is skipped."""

import pathlib
import re
import shutil
import subprocess

import house

PLACES = (*house.ROOMS, "tests")
STYLE = pathlib.Path(__file__).resolve().parent.parent / ".clang-format"


def check(root):
    program = shutil.which("clang-format-14")
    if not program:
        raise house.Skip("clang-format-14 is not installed")
    paths = [p for p in house.walk(root)
             if p.suffix in (".c", ".h") and len(p.parts) > 1 and p.parts[0] in PLACES]
    if not paths:
        return []
    run = subprocess.run([program, "--dry-run", "--Werror", f"--style=file:{STYLE}",
                          *map(str, paths)], cwd=root, capture_output=True, text=True, check=False)
    seen, findings = set(), []
    for match in re.finditer(r"^(\S+?):(\d+):\d+: (?:error|warning): ", run.stderr, re.M):
        if match.group(1) not in seen:  # the first place of a file is enough
            seen.add(match.group(1))
            findings.append((match.group(1), int(match.group(2)),
                             "not formatted; run clang-format-14 -i on it"))
    if run.returncode and not findings:
        findings.append((".clang-format", 1, run.stderr.strip()[:300]))
    return findings


GOOD = {"base/a.c": "int a(void)\n{\n\treturn 1;\n}\n"}
BAD = [
    ({"base/a.c": "int a(void) {\n\treturn 1;\n}\n"}, "base/a.c:1: not formatted"),
    ({"tests/unit/b.c": "int a(void)\n{\n    return 1;\n}\n"}, "not formatted"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
