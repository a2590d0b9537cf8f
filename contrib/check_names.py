#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A symbol is found by its name: what a file offers to others begins with the file's name up to its
first underscore. Every source file says its licence, a header guards itself."""

import re

import house

# Symbols with a name that is given by somebody else, or is a word of its own.
FREE = {"main", "LLVMFuzzerTestOneInput", "LLVMFuzzerInitialize", "LLVMFuzzerCustomMutator"}
# xalloc.h replaces the names everybody knows: xfree, xstrdup ...
PREFIX = {"base/xalloc.c": "x", "base/xalloc.h": "x"}

SPDX = "SPDX-License-Identifier: Apache-2.0"
LICENSED = {".c", ".h", ".py", ".sh", ".cmake", ".js", ".css", ".html", ".service", ".conf"}
HEAD_LINES = 3


def is_right(path, name):
    prefix = PREFIX.get(path)
    if prefix is not None:
        return name.startswith(prefix)
    prefix = path.rsplit("/", 1)[-1].rsplit(".", 1)[0].split("_", 1)[0]
    return name == prefix or name.startswith(prefix + "_")


def check_symbols(root):
    findings = []
    for tag in house.ctags(root, house.room_sources(root), "fp"):
        name, path = tag["name"], tag["path"]
        if name in FREE or name.startswith("__"):
            continue
        if path.endswith(".c") and tag["is_static"]:
            continue
        # A fuzz target may stand in for functions of other files, under their names.
        if path.endswith("_fuzz.c"):
            continue
        if not is_right(path, name):
            findings.append((path, tag["line"], f"{name} does not begin with its file's name"))
    return findings


def check_heads(root):
    findings = []
    for path in house.walk(root):
        is_script = path.suffix == "" and house.read(root, path).startswith("#!")
        if path.suffix in LICENSED or path.name == "CMakeLists.txt" or is_script:
            head = house.read(root, path).splitlines()[:HEAD_LINES]
            if not any(SPDX in line for line in head):
                findings.append((path, 1, f"no line '{SPDX}'"))
    for path in house.room_sources(root):
        if path.suffix == ".h" and not re.search(r"^#pragma once$", house.read(root, path), re.M):
            findings.append((path, 1, "no #pragma once"))
    return findings


def check(root):
    return check_heads(root) + check_symbols(root)


HEAD = f"/* {SPDX} */\n"
GOOD = {
    "dns/msg_parse.h": HEAD + "#pragma once\nMUST_CHECK int msg_parse(int a);\n"
                       "static inline int msg_len(void)\n{\n\treturn 1;\n}\n",
    "dns/msg_parse.c": HEAD + "static int step(void)\n{\n\treturn 1;\n}\n"
                       "int msg_parse(int a)\n{\n\treturn step() + a;\n}\n",
    "base/xalloc.h": HEAD + "#pragma once\nvoid xfree(void *p);\n",
    "daemon/lanthornd_main.c": HEAD + "int main(void)\n{\n\treturn 0;\n}\n",
    "contrib/go": f"#!/bin/bash\n# {SPDX}\n",
    "tests/corpus/x": "\x00\x01",
}
BAD = [
    ({"dns/msg_parse.c": HEAD + "int parse_msg(int a)\n{\n\treturn a;\n}\n"},
     "parse_msg does not begin"),
    ({"dns/msg_write.h": HEAD + "#pragma once\nint message_write(int a);\n"},
     "message_write does not begin"),
    ({"dns/msg_write.h": HEAD + "#pragma once\nPRINTF_LIKE(1, 2) int message_add(int a);\n"},
     "message_add does not begin"),
    ({"dns/msg_write.h": HEAD + "int msg_write(int a);\n"}, "no #pragma once"),
    ({"dns/a.c": "int a_b(void);\n"}, "dns/a.c:1: no line"),
    ({"contrib/go": "#!/bin/bash\n"}, "contrib/go:1: no line"),
    ({"CMakeLists.txt": "project(x)\n"}, "CMakeLists.txt:1: no line"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
