#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents name exists: links inside the tree, files in `backquotes` that begin with a
top folder, functions written as `name()`."""

import pathlib
import re

import house

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([^`\n]+)`")
FUNCTION = re.compile(r"^([a-z_][a-z0-9_]*)\(\)$")
FILE = re.compile(r"^[\w.-]+(?:/[\w.-]+)+/?$")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def check_links(root, path, text):
    findings = []
    for match in LINK.finditer(text):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        if not (pathlib.Path(root) / path.parent / target).exists():
            findings.append((path, house.line_of(text, match.start()),
                             f"link to {target}, which does not exist"))
    return findings


def check_quoted(root, path, text, names, tops):
    findings = []
    for match in QUOTED.finditer(text):
        words = match.group(1)
        function = FUNCTION.match(words)
        if function and function.group(1) not in names:
            findings.append((path, house.line_of(text, match.start()), f"no function {words}"))
        if FILE.match(words) and words.split("/", 1)[0] in tops \
                and not (pathlib.Path(root) / words).exists():
            findings.append((path, house.line_of(text, match.start()), f"no file {words}"))
    return findings


def check(root):
    names = set()
    for path in house.room_sources(root):
        names |= set(re.findall(r"\b([a-z_][a-z0-9_]*)[ \n]*\(", house.strip_c(
            house.read(root, path))))
    tree = house.walk(root)
    tops = {p.parts[0] for p in tree if len(p.parts) > 1}
    findings = []
    for path in tree:
        if path.suffix != ".md" or path.name == "CHANGELOG.md":
            continue  # the changelog tells of what is gone, too
        text = FENCE.sub(lambda m: "\n" * m.group(0).count("\n"), house.read(root, path))
        findings += check_links(root, path, text)
        findings += check_quoted(root, path, text, names, tops)
    return findings


GOOD = {
    "dns/a.c": "int a_parse(void)\n{\n\treturn 1;\n}\n",
    "doc/a.md": "See [code](../dns/a.c#L3), `a_parse()`, `dns/a.c`, `/etc/x/y`, `lanthorn why x`, "
                "[web](https://example.net/x).\n```\n`gone()` [x](nowhere)\n```\n",
}
BAD = [
    ({"README.md": "[x](doc/b.md)\n"}, "README.md:1: link to doc/b.md"),
    ({"README.md": "\n`a_write()`\n"}, "README.md:2: no function a_write()"),
    ({"doc/b.md": "`dns/b.c`\n"}, "doc/b.md:1: no file dns/b.c"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
