#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=60
"""The demonstration that contrib/quickstart ends with works, shows what it promises, and leaves nothing behind."""
import os
import re

from lan import BIN, HERE, check, done, need, run

need("nsd", "dhclient", "busybox", "dig", "tftp")
namespaces = set(run("ip", "netns", "list").stdout.split("\n"))
p = run(f"{HERE}/../../contrib/demo", BIN, check=False, timeout=50)
out = p.stdout
check("it ends well", p.returncode == 0, out[-3000:] + p.stderr[-2000:])
for what, pattern in (("two leases", r"10\.7\.0\.1\d\d.*laptop[^$]*10\.7\.0\.1\d\d.*phone|phone[^$]*laptop"), ("names both ways", r"dig \+short @10\.7\.0\.1 phone\n +10\.7"),
                      ("addresses back to names", r"phone\.home\.arpa\."), ("three zones asked", r"50\.0\.0\.1 +was asked.*50\.0\.1\.1 +was asked.*50\.0\.2\.1 +was asked"),
                      ("a file with its sum twice", r"([0-9a-f]{64}).*\1"), ("a kill", r"kill -KILL")):
    check(f"the transcript shows {what}", re.search(pattern, out, re.S), out)
left = {n for n in run("ip", "netns", "list").stdout.split("\n") if n not in namespaces and n.startswith("lt")}
mine = {n for n in left if not os.path.exists(f"/proc/{re.sub('[^0-9]', ' ', n).split()[0]}")}
check("nothing is left behind", not mine, mine)
p = run(f"{HERE}/../../contrib/demo", "/nonexistent", check=False, timeout=50)
check("without the programs it fails", p.returncode != 0, p.stdout[-500:])
done()
