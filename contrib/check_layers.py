#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Includes go down only, a foreign library is included in one place, no file is a grab bag, and a
base name means one thing across the tree. The tables below are the law; ARCHITECTURE.md draws
them."""

import fnmatch
import re

import house

# room: the rooms it may include besides itself
LAYERS = {
    "base": (),
    "dns": ("base",),
    "net": ("base",),
    "store": ("base",),
    "zones": ("base", "dns"),
    "resolver": ("base", "dns", "net", "zones"),
    "dhcp": ("base", "dns", "net", "store", "zones"),
    "boot": ("base", "net"),
    "daemon": house.ROOMS,
}

# header of a library: where it may be included
FOREIGN = (
    ("uv.h", ("net/*", "daemon/*")),
    ("uv/*", ("net/*", "daemon/*")),
    ("lmdb.h", ("store/*",)),
    ("ares*.h", ("net/stub*",)),
    ("openssl/*", ("dns/crypto*",)),
    ("ldns/*", ("dns/rrtext*", "dns/zonefile*")),
    ("urcu*", ("base/rcu*",)),
    ("yaml.h", ("daemon/*",)),
    ("microhttpd.h", ("daemon/*",)),
    ("jansson.h", ("daemon/*",)),
    ("libmnl/*", ("net/iface*",)),
    ("seccomp.h", ("net/privs*",)),
    ("linux/seccomp.h", ("net/privs*",)),
    ("linux/landlock.h", ("net/privs*",)),
    ("cap-ng.h", ("net/privs*",)),
    ("cmocka.h", ()),
)

# The C library and the kernel; anything else is a new dependency and belongs above.
SYSTEM_FOLDERS = ("sys", "linux", "net", "netinet", "netpacket", "arpa", "asm", "sanitizer")
SYSTEM = set("""
    alloca.h assert.h byteswap.h ctype.h dirent.h dlfcn.h endian.h err.h errno.h fcntl.h fnmatch.h
    getopt.h glob.h grp.h ifaddrs.h immintrin.h inttypes.h langinfo.h libgen.h limits.h locale.h
    math.h mntent.h netdb.h nmmintrin.h poll.h pthread.h pwd.h sched.h setjmp.h signal.h spawn.h
    stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdio_ext.h stdlib.h
    stdnoreturn.h string.h strings.h syscall.h sysexits.h syslog.h termios.h threads.h time.h
    ucontext.h unistd.h utime.h wchar.h
""".split())

GRAB_BAGS = {"util", "utils", "common", "misc", "helper", "helpers"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def check_own(path, header):
    room, target = path.parts[0], header.split("/", 1)[0]
    if "/" not in header:
        return f'"{header}" has no room; write "{room}/{header}"'
    if target not in LAYERS:
        return f'"{header}": {target} is no room'
    if target != room and target not in LAYERS[room]:
        return f"{room} may not include {target} ({header}); it may: {', '.join(LAYERS[room])}"
    return None


def check_foreign(path, header):
    for pattern, places in FOREIGN:
        if fnmatch.fnmatch(header, pattern):
            if any(fnmatch.fnmatch(str(path), place) for place in places):
                return None
            return f"<{header}> belongs to {', '.join(places) or 'tests'} only"
    if header in SYSTEM or header.split("/", 1)[0] in SYSTEM_FOLDERS:
        return None
    return f"<{header}> is unknown to contrib/check_layers.py: a new dependency?"


def check_includes(root):
    findings = []
    for path in house.room_sources(root):
        text = house.strip_c(house.read(root, path), keep_strings=True)
        for match in INCLUDE.finditer(text):
            rule = check_own if match.group(1) == '"' else check_foreign
            verdict = rule(path, match.group(2))
            if verdict:
                findings.append((path, house.line_of(text, match.start()), verdict))
    return findings


def check_file_names(root):
    findings, seen = [], {}
    for path in house.walk(root):
        for part in (*path.parts[:-1], path.stem):
            if part.lower() in GRAB_BAGS:
                findings.append((path, 1, f"'{part}' says nothing; name the one thing it holds"))
        if path.suffix in (".c", ".h") and path.parts[0] in (*house.ROOMS, "tests"):
            first = seen.setdefault(path.stem, path)
            if first.parent != path.parent:
                findings.append((path, 1, f"base name taken by {first}"))
    return findings


def check(root):
    return check_includes(root) + check_file_names(root)


GOOD = {
    "base/err.h": "#pragma once\n",
    "base/rcu.c": '#include "base/err.h"\n#include <urcu/urcu-memb.h>\n#include <stdint.h>\n',
    "dns/crypto.c": '#include <openssl/evp.h>\n#include "base/err.h"\n',
    "net/loop.c": "#include <uv.h>\n#include <sys/socket.h>\n/* #include <lmdb.h> */\n",
    "dhcp/lease.c": '#include "store/store.h"\n#include "zones/view.h"\n',
    "daemon/main.c": '#include "resolver/query.h"\n#include <uv.h>\n',
}
BAD = [
    ({"base/x.c": '#include "dns/dname.h"\n'}, "base/x.c:1: base may not include dns"),
    ({"dns/x.c": '\n#include "net/udp.h"\n'}, "dns/x.c:2: dns may not include net"),
    ({"resolver/x.c": '#include "dhcp/lease.h"\n'}, "resolver may not include dhcp"),
    ({"resolver/x.h": '#include "store/store.h"\n'}, "resolver may not include store"),
    ({"boot/x.c": '#include "zones/view.h"\n'}, "boot may not include zones"),
    ({"zones/x.c": '#include "resolver/query.h"\n'}, "zones may not include resolver"),
    ({"net/x.c": '#include "loop.h"\n'}, "has no room"),
    ({"net/x.c": '#include "lib/loop.h"\n'}, "lib is no room"),
    ({"resolver/x.c": "#include <uv.h>\n"}, "<uv.h> belongs to"),
    ({"daemon/x.c": "#include <lmdb.h>\n"}, "<lmdb.h> belongs to store/*"),
    ({"net/udp.c": "#include <ares.h>\n"}, "<ares.h> belongs to net/stub*"),
    ({"dns/nsec3.c": "#include <openssl/sha.h>\n"}, "<openssl/sha.h> belongs to"),
    ({"dns/dname.c": "# include <ldns/ldns.h>\n"}, "<ldns/ldns.h> belongs to"),
    ({"base/table.c": "#include <urcu.h>\n"}, "<urcu.h> belongs to"),
    ({"net/loop.h": "#include <libmnl/libmnl.h>\n"}, "<libmnl/libmnl.h> belongs to"),
    ({"daemon/y.c": "#include <seccomp.h>\n"}, "<seccomp.h> belongs to"),
    ({"daemon/y.c": "#include <curl/curl.h>\n"}, "a new dependency?"),
    ({"base/util.c": ""}, "'util' says nothing"),
    ({"dns/common/a.h": ""}, "'common' says nothing"),
    ({"doc/misc.md": ""}, "'misc' says nothing"),
    ({"store/err.c": ""}, "base name taken by base/err.h"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
