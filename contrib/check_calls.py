#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Calls the house does not make, and variables it does not have. Rooms only; tests are free."""

import fnmatch
import re

import house

# names, where they are allowed all the same, what to do instead
CALLS = (
    ("strcpy strcat sprintf vsprintf gets stpcpy strncat", (), "snprintf or memcpy"),
    ("strtok", (), "strcspn"),
    ("atoi atol atoll atof", (), "a strict read with its own range, as in base/ip.c"),
    ("rand srand random srandom rand_r drand48 lrand48 arc4random", (), "base/rand.h"),
    ("getrandom getentropy", ("base/rand.c",), "base/rand.h"),
    ("gettimeofday time clock_gettime ftime", ("base/clock.c",),
     "an explicit now, or base/clock.h in a loop"),
    ("malloc calloc realloc reallocarray strdup strndup asprintf vasprintf posix_memalign "
     "aligned_alloc", ("base/*",), "base/xalloc.h or an arena"),
    # ldns gives out memory of its own.
    ("free", ("base/*", "dns/rrtext.c", "dns/zonefile.c"), "xfree of base/xalloc.h"),
    ("alloca", (), "an arena"),
    ("system popen execl execlp execle execv execvp execve execvpe fexecve posix_spawn "
     "posix_spawnp", (), "nothing: we start no programs"),
    # The lock of the state folder is waited for before any loop turns.
    ("sleep usleep nanosleep", ("store/statedir.c",), "a timer"),
    ("localtime gmtime ctime asctime inet_ntoa", (), "the _r form, ip_format"),
    ("printf puts putchar vprintf", ("daemon/*", "*_fuzz.c"), "base/log.h"),
)

CALL = re.compile(r"(?<![\w.>])([a-z_][a-z0-9_]*)[ \t\n]*\(")
# From `static` to what ends the declarator.
STATIC = re.compile(r"^[ \t]*static\b([^;={(]*)([;={(])", re.M)
EXTERN = re.compile(r"^[ \t]*extern\b([^;={(]*);", re.M)
# The one mutable variable of the house: where log lines go.
GLOBALS = {("base/log.c", "struct")}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b(?!.*#\d)")

RULES = {name: (places, instead) for names, places, instead in CALLS for name in names.split()}


def check_names(path, text):
    findings = []
    for match in CALL.finditer(text):
        places, instead = RULES.get(match.group(1), ((str(path),), ""))
        if not any(fnmatch.fnmatch(str(path), place) for place in places):
            findings.append((path, house.line_of(text, match.start()),
                             f"{match.group(1)}(): use {instead}"))
    return findings


def is_constant(declarator):
    """const applies to the object itself: to what follows the last star, if there is one."""
    return re.search(r"\bconst\b", declarator.rsplit("*", 1)[-1]) is not None


def check_globals(path, text):
    findings = []
    for pattern in (STATIC, EXTERN):
        for match in pattern.finditer(text):
            words = match.group(1).split()
            if pattern is STATIC and match.group(2) == "(":
                continue  # a function
            if is_constant(match.group(1)) or words[:1] == ["inline"]:
                continue
            if (str(path), " ".join(words)) in GLOBALS:
                continue
            findings.append((path, house.line_of(text, match.start(1)),
                             f"mutable variable with static life: {' '.join(words)}"))
    return findings


def check(root):
    findings = []
    for path in house.room_sources(root):
        raw = house.read(root, path)
        text = house.strip_c(raw)
        findings += check_names(path, text)
        if not path.stem.endswith("_fuzz"):
            findings += check_globals(path, text)
        for match in UNFINISHED.finditer(raw):
            findings.append((path, house.line_of(raw, match.start()),
                             f"{match.group(1)} without an issue number"))
    return findings


GOOD = {
    "base/xalloc.c": "void *xalloc(int n)\n{\n\treturn malloc(n);\n}\n",
    "base/clock.c": "static int clock_read(void)\n{\n\treturn clock_gettime(0, 0);\n}\n",
    "base/log.c": "static struct {\n\tint fd;\n} log_state;\n",
    "dns/a.c": '/* sprintf( is bad */\nstatic const char *const a_names[] = {"malloc("};\n'
               "static const int a_x = 1;\nstatic int a_free(void);\nint a_f(struct a *a)\n{\n"
               "\tcache_free(a);\n\ta->free(a);\n\ta_strdup(a);\n\treturn uv.time(a);\n}\n"
               "/* TODO: #12 */\nextern const int a_y;\nstatic inline void a_g(void)\n{\n}\n",
}
BAD = [
    ({"dns/b.c": f"void b(void)\n{{\n\t{call}(x);\n}}\n"}, f"dns/b.c:3: {call}()")
    for call in ("strcpy", "sprintf", "atoi", "rand", "random", "gettimeofday", "malloc", "calloc",
                 "realloc", "free", "strdup", "system", "popen", "execv", "getrandom", "time",
                 "sleep", "printf", "clock_gettime")
] + [
    ({"base/b.c": "int b(void)\n{\n\treturn 1 + rand ();\n}\n"}, "rand(): use base/rand.h"),
    ({"net/b.c": "void b(void)\n{\n\tx = cond ? free(a) : 0;\n}\n"}, "free(): use"),
    ({"net/b.c": "static int b_count;\n"}, "mutable variable with static life: int b_count"),
    ({"net/b.c": "void b(void)\n{\n\tstatic char buf[9];\n}\n"}, "static life: char buf[9]"),
    ({"net/b.c": 'static const char *b_names[] = {"x"};\n'}, "mutable variable"),
    ({"net/b.c": "static struct b b_one = {0};\n"}, "mutable variable"),
    ({"net/b.h": "extern int b_level;\n"}, "mutable variable"),
    ({"net/b.c": "/* TODO: later */\n"}, "TODO without an issue number"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
