#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, twice in one file, with the warnings of the house. The compiler is
CC from the environment, or cc."""

import concurrent.futures
import os
import shlex
import shutil
import subprocess

import house

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", '-DLANTHORN_VERSION="0"', "-Wall", "-Wextra", "-Werror",
         "-Wno-unused-function", "-fsyntax-only", "-x", "c"]
# Where Debian's packages put headers that are not found without pkg-config.
PACKAGES = ("ldns", "libuv", "libmicrohttpd", "jansson", "libmnl", "yaml-0.1")


def package_flags():
    if not shutil.which("pkg-config"):
        return []
    run = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True,
                         check=False)
    return shlex.split(run.stdout)


def compile_alone(compiler, flags, root, path):
    text = f'#include "{path}"\n#include "{path}"\n'
    run = subprocess.run([*compiler, *FLAGS, *flags, "-I.", "-"], cwd=root, input=text,
                         capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return []
    first = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr.strip())
    return [(path, 1, f"does not compile alone: {first}")]


def check(root):
    compiler, flags = shlex.split(os.environ.get("CC") or "cc"), package_flags()
    headers = [p for p in house.room_sources(root) if p.suffix == ".h"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda path: compile_alone(compiler, flags, root, path), headers)
        return [finding for result in results for finding in result]


GOOD = {
    "base/a.h": "#pragma once\n#include <stdint.h>\nstruct a {\n\tuint8_t x;\n};\n",
    "dns/b.h": '#pragma once\n#include "base/a.h"\nstruct b {\n\tstruct a a;\n};\n',
}
BAD = [
    ({"base/a.h": "#pragma once\nstruct a {\n\tuint8_t x;\n};\n"}, "base/a.h:1: does not compile"),
    ({"dns/b.h": "#pragma once\nstruct b {\n\tstruct a a;\n};\n"}, "dns/b.h:1: does not compile"),
    ({"dns/b.h": "struct b {\n\tint x;\n};\n"}, "dns/b.h:1: does not compile"),
    ({"dns/b.h": "#pragma once\nint b();\nint b(a)\n"}, "dns/b.h:1: does not compile"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
