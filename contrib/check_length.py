#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A function of more than 100 lines or a file of more than 1000 is refused; the aim is 60 and 600.
Functions are found by Universal Ctags."""

import sys

import house

FUNCTION_HARD, FUNCTION_AIM = 100, 60
FILE_HARD, FILE_AIM = 1000, 600
CODE = {".c", ".h", ".py", ".sh", ".cmake", ".js", ".css"}


def check_files(root):
    findings, long = [], 0
    for path in house.walk(root):
        if path.suffix not in CODE:
            continue
        n_lines = house.read(root, path).count("\n")
        long += n_lines > FILE_AIM
        if n_lines > FILE_HARD:
            findings.append((path, n_lines, f"{n_lines} lines in one file, {FILE_HARD} at most"))
    return findings, long


def check_functions(root):
    paths = [p for p in house.walk(root) if p.suffix in (".c", ".h")]
    findings, long = [], 0
    for tag in house.ctags(root, paths, "f"):
        n_lines = (tag["end"] or tag["line"]) - tag["line"] + 1
        long += n_lines > FUNCTION_AIM
        if n_lines > FUNCTION_HARD:
            findings.append((tag["path"], tag["line"],
                             f"{tag['name']} has {n_lines} lines, {FUNCTION_HARD} at most"))
    return findings, long


def check(root):
    files, long_files = check_files(root)
    functions, long_functions = check_functions(root)
    if (long_files or long_functions) and "--self-test" not in sys.argv:
        print(f"above the aim: {long_functions} functions of more than {FUNCTION_AIM} lines, "
              f"{long_files} files of more than {FILE_AIM}")
    return files + functions


def function_of(n_lines):
    return "int long_one(void)\n{\n" + "\t;\n" * (n_lines - 3) + "}\n"


GOOD = {"base/a.c": function_of(100), "base/b.c": "int x;\n" * 1000}
BAD = [
    ({"base/a.c": function_of(101)}, "long_one has 101 lines"),
    ({"tests/unit/a.c": function_of(150)}, "long_one has"),
    ({"base/a.h": "/* */\n" * 1001}, "1001 lines in one file"),
    ({"contrib/a.py": "#\n" * 1001}, "1001 lines in one file"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
