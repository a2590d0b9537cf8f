# SPDX-License-Identifier: Apache-2.0
"""What the house linters share: walking the tree, reading C without its comments, and proving
that a linter can fail. A linter is a function check(root) that returns findings as
(path, line, text); it is run as

    check_x.py [--root DIR]     findings on stdout, exit 1 when there are any
    check_x.py --self-test      feeds it a good tree and one bad tree for each rule

Exit 77 means skipped (a tool is missing), with the reason printed."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOMS = ("base", "dns", "net", "store", "zones", "resolver", "dhcp", "boot", "daemon")
SKIPPED = {".git", "build", ".cache", "__pycache__", "node_modules"}
EXIT_SKIP = 77


class Skip(Exception):
    """The check cannot run here."""


def walk(root):
    """Every file of the tree as a path relative to root, sorted."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(n for n in names if n not in SKIPPED)
        for name in files:
            found.append((pathlib.Path(folder) / name).relative_to(root))
    return sorted(found)


def room_sources(root):
    """The .c and .h files of the rooms."""
    return [p for p in walk(root)
            if len(p.parts) > 1 and p.parts[0] in ROOMS and p.suffix in (".c", ".h")]


def read(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8", errors="replace")


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def strip_c(text, keep_strings=False):
    """C with comments blanked (strings too, unless asked); line numbers stay."""
    def blank(match):
        token = match.group(0)
        if token[0] == "/":
            return " " + "\n" * token.count("\n")
        return token if keep_strings else token[0] + token[-1]
    return TOKEN.sub(blank, text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def ctags(root, paths, kinds):
    """Tags of the files as dicts with name, path, line, end (or None), is_static."""
    program = shutil.which("ctags") or shutil.which("ctags-universal")
    if not program:
        raise Skip("universal-ctags is not installed")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if "Universal Ctags" not in version.stdout:
        raise Skip("ctags is not Universal Ctags")
    if not paths:
        return []
    run = subprocess.run(
        [program, "-f", "-", "--languages=C", "--langmap=C:.c.h", "--fields=nesf", "--sort=no",
         "-I", "MUST_CHECK,PRINTF_LIKE+", f"--kinds-C={kinds}", "-L", "-"],
        cwd=root, input="\n".join(map(str, paths)), capture_output=True, text=True, check=True)
    tags = []
    for line in run.stdout.splitlines():
        if line.startswith("!"):
            continue
        name, path, rest = line.split("\t", 2)
        fields = dict(f.split(":", 1) for f in rest.split(';"', 1)[1].strip().split("\t")
                      if ":" in f)
        tags.append({"name": name, "path": path, "line": int(fields["line"]),
                     "end": int(fields["end"]) if "end" in fields else None,
                     "is_static": "file" in fields})
    return tags


def make_tree(root, files):
    for name, text in files.items():
        path = pathlib.Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def self_test(check, good, bad):
    """good: files of a tree without findings. bad: list of (files on top of it, a part of the
    finding they must cause)."""
    failures = []
    for files, want in [({}, None)] + bad:
        with tempfile.TemporaryDirectory() as root:
            make_tree(root, {**good, **files})
            findings = [f"{p}:{n}: {text}" for p, n, text in check(root)]
        if want is None and findings:
            failures.append("the good tree is refused: " + "; ".join(findings))
        if want is not None and not any(want in f for f in findings):
            failures.append(f"not found: {want!r} in {sorted(files)}: {findings}")
    for failure in failures:
        print(failure)
    print(f"{len(bad) + 1} trees, {len(failures)} wrong verdicts")
    return 1 if failures else 0


def main(check, good, bad):
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=str(pathlib.Path(__file__).resolve().parent.parent))
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    try:
        if options.self_test:
            return self_test(check, good, bad)
        findings = sorted(check(options.root), key=lambda f: (str(f[0]), f[1]))
    except Skip as reason:
        print(f"skipped: {reason}")
        return EXIT_SKIP
    for path, line, text in findings:
        print(f"{path}:{line}: {text}")
    print(f"{len(findings)} findings")
    return 1 if findings else 0


def run(check, good, bad):
    sys.exit(main(check, good, bad))
