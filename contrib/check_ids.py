#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every log ID is documented in doc/messages.md with cause and remedy, written somewhere, and
nothing else is documented there; IDs stand in order within their group. Every ERR is used."""

import re

import house

ID_LIST, ERR_LIST, MESSAGES = "base/log_ids.h", "base/err.h", "doc/messages.md"


def listed_ids(root):
    """(line, group, id) in the order of the header."""
    found, group = [], ""
    for number, line in enumerate(house.read(root, ID_LIST).splitlines(), 1):
        comment = re.match(r"\s*/\* (\w+) \*/\s*\\$", line)
        entry = re.match(r"\s*X\((\w+)\)", line)
        if comment:
            group = comment.group(1)
        if entry:
            found.append((number, group, entry.group(1)))
    return found


def documented_ids(root):
    """id: (line, text of its section)"""
    found, name = {}, None
    try:
        lines = house.read(root, MESSAGES).splitlines()
    except FileNotFoundError:
        lines = []
    for number, line in enumerate(lines, 1):
        heading = re.match(r"### `?([A-Z0-9_]+)`?\s*$", line)
        if heading:
            name = heading.group(1)
            found[name] = (number, "")
        elif line.startswith("#"):
            name = None
        elif name:
            found[name] = (found[name][0], found[name][1] + line)
    return found


def words_of_rooms(root):
    words = set()
    for path in house.room_sources(root):
        if str(path) in (ID_LIST, ERR_LIST, "base/err.c"):
            continue
        words |= set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", house.strip_c(house.read(root, path))))
    return words


def check_log_ids(root, words):
    findings, documented, last = [], documented_ids(root), ("", "")
    listed = listed_ids(root)
    for line, group, name in listed:
        if not name.lower().startswith(group + "_"):
            findings.append((ID_LIST, line, f"{name} stands in the group of {group}"))
        if last[0] == group and last[1] > name:
            findings.append((ID_LIST, line, f"{name} stands after {last[1]}: not in order"))
        last = (group, name)
        if name not in words:
            findings.append((ID_LIST, line, f"{name} is never logged"))
        if name not in documented:
            findings.append((MESSAGES, 1, f"{name} is not documented"))
        elif len(documented[name][1].split()) < 8:
            findings.append((MESSAGES, documented[name][0], f"{name} has no cause and remedy"))
    known = {name for _, _, name in listed}
    findings += [(MESSAGES, line, f"{name} is no log ID")
                 for name, (line, _) in documented.items() if name not in known]
    return findings


def check_errors(root, words):
    findings = []
    for number, line in enumerate(house.read(root, ERR_LIST).splitlines(), 1):
        entry = re.match(r"\s*X\((ERR_\w+),", line)
        if entry and entry.group(1) not in words:
            findings.append((ERR_LIST, number, f"{entry.group(1)} is never used"))
    return findings


def check(root):
    words = words_of_rooms(root)
    return check_log_ids(root, words) + check_errors(root, words)


GOOD = {
    "base/err.h": '#define ERR_LIST(X) \\\n\tX(ERR_IO, -1, "x")\n',
    "base/log_ids.h": "\t/* net */ \\\n\tX(NET_A) \\\n\tX(NET_B) \\\n\t/* dhcp */ \\\n\tX(DHCP_A)\n",
    "net/a.c": "log_warn(NET_A, 1); log_info(NET_B, 1); return ERR_IO;\n",
    "dhcp/b.c": "log_warn(DHCP_A, 1);\n",
    "doc/messages.md": "# Messages\n\nOne for each ID.\n" + "".join(
        f"### {name}\n\nThe disk is full or so. Remedy: make it larger.\n"
        for name in ("NET_A", "NET_B", "DHCP_A")),
}
BAD = [
    ({"doc/messages.md": GOOD["doc/messages.md"].replace("### NET_B", "### NET_Z")},
     "NET_B is not documented"),
    ({"doc/messages.md": GOOD["doc/messages.md"] + "### NET_OLD\ntext\n"}, "NET_OLD is no log ID"),
    ({"doc/messages.md": GOOD["doc/messages.md"].replace("The disk is full or so. ", "", 1)},
     "NET_A has no cause and remedy"),
    ({"dhcp/b.c": "/* DHCP_A */\n"}, "DHCP_A is never logged"),
    ({"dhcp/b.c": 'x("DHCP_A");\n'}, "DHCP_A is never logged"),
    ({"base/log_ids.h": "/* net */ \\\nX(NET_B) \\\nX(NET_A) \\\n/* dhcp */ \\\nX(DHCP_A)\n"},
     "NET_A stands after NET_B"),
    ({"base/log_ids.h": "/* net */ \\\nX(NET_A) \\\nX(NET_B) \\\nX(DHCP_A)\n"},
     "DHCP_A stands in the group of net"),
    ({"net/a.c": "log_warn(NET_A, 1); log_info(NET_B, 1);\n"}, "ERR_IO is never used"),
]

if __name__ == "__main__":
    house.run(check, GOOD, BAD)
