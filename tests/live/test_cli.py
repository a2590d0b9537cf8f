#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=60
"""The command: exit codes, JSON, with a daemon and without, imports, and every counter that the manual names."""
import json
import os
import re
import signal
import time

from dhcpclient import Client
from lan import BIN, DOMAIN, SERVER, Lan, check, done, need, run, until
from stub import Stub, data

need("ip")
SOURCE = os.environ.get("LANTHORN_SOURCE", os.path.dirname(os.path.abspath(__file__)) + "/../..")
FIELDS = {"address", "mac", "client_id", "duid", "hostname", "state", "expires"}


def lanthorn(*args, **kw):
    p = run(f"{BIN}/lanthorn", *args, check=False, **kw)
    return p.returncode, p.stdout, p.stderr


with Lan(clients=1) as lan:
    config = lan.config(lan="device:\n  nas: { mac: \"02:00:00:00:10:01\", address: 10.7.0.20 }\n")
    state = f"{lan.dir}/state"

    # ---- wrong use, and no daemon ----
    for args in ((), ("no-such-verb",), ("lookup",), ("leases", "too", "many"), ("--no-such-option", "status"), ("cache", "burn"), ("lookup", "a..b")):
        code, out, err = lanthorn("--state-dir", state, *args)
        want = 3 if args == ("lookup", "a..b") else 2
        check(f"lanthorn {' '.join(args) or '(nothing)'}: exit {want}, with a word why", code == want and err.strip(), (code, out, err))
    check("--help: exit 0", lanthorn("--help")[0] == 0 and "usage: lanthorn" in lanthorn("--help")[1])
    check("--version: exit 0", re.match(r"lanthorn \d+\.\d+", lanthorn("--version")[1]))
    code, out, err = lanthorn("--state-dir", state, "status")
    check("no daemon: exit 3, and where it was looked for", code == 3 and state in err, (code, err))
    code, out, err = lanthorn("--state-dir", state, "leases")
    check("no store either: exit 1", code == 1 and err, (code, err))

    # ---- leases taken over without a daemon ----
    soon = int(time.time()) + 7200
    old = f"{lan.dir}/dnsmasq.leases"
    with open(old, "w") as f:
        f.write(f"{soon} 02:00:00:00:20:01 10.7.0.120 printer 01:02:00:00:00:20:01\n{soon} 02:00:00:00:20:02 10.7.0.121 * *\n"
                f"0 02:00:00:00:20:03 10.7.0.122 forever *\n1000 02:00:00:00:20:04 10.7.0.123 ended *\n"
                f"duid 00:01:00:01:2a:2b:2c:2d:02:00:00:00:20:01\n{soon} 1 fd07::99 six 00:01\n")
    code, out, err = lanthorn("--state-dir", state, "import", "dnsmasq-leases", old)
    check("leases of a dnsmasq, with no daemon", code == 0 and "taken in" in out and "DHCPv6" in out + err, (code, out, err))
    code, out, err = lanthorn("--state-dir", state, "--json", "leases")
    have = {l["address"]: l for l in json.loads(out)}
    bad_file = f"{lan.dir}/bad.leases"
    with open(bad_file, "w") as f:
        f.write(f"{soon} 02:00:00:00:20:07 10.7.0.124 good *\nnonsense\n")
    code, out, err = lanthorn("--state-dir", state, "import", "dnsmasq-leases", bad_file)
    check("a bad line is told with its place, the others count", code == 1 and f"{bad_file}:2:" in err, (code, out, err))
    code, out, err = lanthorn("--state-dir", state, "--json", "leases")
    have = {l["address"]: l for l in json.loads(out)}
    check("they are in the store", {"10.7.0.120", "10.7.0.121", "10.7.0.122", "10.7.0.124"} <= set(have) and "10.7.0.123" not in have, out)
    check("with MAC, name and end", (have["10.7.0.120"]["mac"], have["10.7.0.120"]["hostname"], have["10.7.0.120"]["expires"]) ==
          ("02:00:00:00:20:01", "printer", soon), have["10.7.0.120"])
    check("one without end has none", have["10.7.0.122"]["expires"] is None, have["10.7.0.122"])

    # ---- with a daemon ----
    d = lan.daemon(config)
    s = Stub(lan.srv)
    check("the daemon knows what was taken over", data(s.ask("printer")) == ["10.7.0.120"])
    check("and grants it to its client", Client(lan.clients[0], "02:00:00:00:20:02").lease().yiaddr == "10.7.0.121")
    me = Client(lan.clients[0], 7)
    mine = me.lease("laptop", (61, b"\xff\0\0\0\1\0\3\0\1\2\0\0\0\0\7"))
    j = d.json("leases")
    check("--json leases: an array of objects with the fields of the contract", isinstance(j, list) and all(FIELDS <= set(l) for l in j), j)
    l = {l["address"]: l for l in j}[mine.yiaddr]
    check("their values", l["mac"] == me.mac.hex(":") and l["hostname"] == "laptop" and l["state"] == "bound" and l["duid"] is None and
          l["client_id"].startswith("ff:00") and abs(l["expires"] - time.time() - 3600) < 60, l)
    with open(old, "w") as f:
        f.write(f"{soon} 02:00:00:00:20:05 10.7.0.130 late *\n{soon} 02:00:00:00:20:06 {mine.yiaddr} thief *\n")
    code, out = d.ctl("import", "dnsmasq-leases", old)
    check("leases taken over while it runs", code == 0 and data(s.ask("late")) == ["10.7.0.130"], out)
    check("an address that is known is left alone", d.leases()[mine.yiaddr]["mac"] == me.mac.hex(":"), out)
    me.release((61, mine.options[61]))
    until(3, lambda: mine.yiaddr not in d.leases())
    states = {l["address"]: l["state"] for l in d.json("--all", "leases")}
    check("--all shows those that ended", states.get(mine.yiaddr) == "released", states)
    at = {l["address"] for l in d.json("leases", "--at", str(int(time.time()) + 3600))}
    check("--at a time to come", "10.7.0.130" in at and mine.yiaddr not in at, at)
    check("a time that is none: exit 2", d.ctl("leases", "--at", "yesterday-ish")[0] == 2)
    code, out = d.ctl("leases")
    check("for people: a table", code == 0 and "ADDRESS" in out and "printer" in out, out)
    j = d.json("devices")
    check("devices", [x["address"] for x in j if x["hostname"] == "nas"] == ["10.7.0.20"], j)
    for args, want, word in ((("status",), 0, "leases"), (("lookup", "printer"), 0, "10.7.0.120"), (("lookup", f"printer.{DOMAIN}", "A"), 0, "10.7.0.120"),
                             (("lookup", f"nobody.{DOMAIN}"), 1, "NXDOMAIN"), (("lookup", "x", "NOTYPE"), 2, "NOTYPE"), (("explain", "printer"), 0, "lease"),
                             (("why", "printer"), 0, "10.7.0.120"), (("why", "www.example.com"), 1, "not ours"), (("cache", "dump"), 0, ""),
                             (("cache", "flush"), 0, "forgotten"), (("cache", "flush", "example.com"), 0, "forgotten"), (("reload",), 0, "nothing changed")):
        code, out = d.ctl(*args)
        check(f"lanthorn {' '.join(args)}: exit {want}", code == want and word in out, (code, out))
        check("with --json something to read", isinstance(json.loads(lanthorn("--state-dir", state, "--json", *args)[1] or "0"), (dict, list, str, int)))

    # ---- counters ----
    text = d.ctl("metrics")[1]
    names = set(re.findall(r"^(lanthorn_\w+)", text, re.M))
    check("every counter has its help and type", all(f"# HELP {n} " in text and f"# TYPE {n} " in text for n in names if not re.search("_(bucket|sum|count)$", n)),
          [n for n in names if f"# HELP {n} " not in text][:5])
    check("no counter stands there twice", not [x for x in re.findall(r"^(lanthorn_\S+) ", text, re.M) if text.count(f"\n{x} ") > 1])
    manual = open(f"{SOURCE}/doc/man/lanthorn.1").read().replace("\\-", "-")
    named = set(re.findall(r"\blanthorn_[a-z0-9_]+", manual))
    check("every counter of the manual is there", named <= names | {re.sub("_(bucket|sum|count)$", "", n) for n in names}, sorted(named - names))
    gone = {n for n in names if re.sub("_(bucket|sum|count)$", "", n) not in named}
    check("and every counter stands in the manual", not gone, "\n" + "".join(
        f".It Va {n}\n{h[0].upper() + h[1:]}.\n" for n, h in re.findall(r"^# HELP (\S+) (.*)$", text, re.M) if n in gone))
    sent = d.metric("dns_queries_udp_total")
    s.ask("printer")
    check("they count", d.metric("dns_queries_udp_total") == sent + 1)

    # ---- the daemon is gone, its socket is not ----
    d.signal(signal.SIGKILL)
    d.proc.wait()
    check("a stale socket", os.path.exists(f"{state}/control.sock"))
    code, out, err = lanthorn("--state-dir", state, "--json", "leases")
    check("counts as no daemon: the store answers", code == 0 and "10.7.0.130" in [l["address"] for l in json.loads(out)], (code, err))
    check("status says that nobody answers: exit 3", lanthorn("--state-dir", state, "status")[0] == 3)

    # ---- check ----
    bad = f"{lan.dir}/bad.yaml"
    with open(bad, "w") as f:
        f.write("domain: lan.test\ndns:\n  cache-sise: 4M\n  workers: many\nlan:\n  br0:\n    subnet: 10.7.0.0/24\n    pool: 10.9.0.1-10.9.0.9\n    rooter: 10.7.0.1\n")
    for name, code, text in (("lanthorn check", *(lambda r: (r[0], r[1] + r[2]))(lanthorn("check", bad))),
                             ("lanthornd --check", *(lambda p: (p.returncode, p.stdout + p.stderr))(run(f"{BIN}/lanthornd", "--check", "-c", bad, check=False)))):
        check(f"{name}: exit 1", code == 1, code)
        check("every error at once, each with its place", all(f"{bad}:{line}:" in text for line in (3, 4, 8, 9)), text)
        check("and the nearest key", "cache-size" in text and "router" in text, text)
    check("a good one: exit 0", lanthorn("check", config)[0] == 0, lanthorn("check", config))
    conf = f"{lan.dir}/dnsmasq.conf"
    with open(conf, "w") as f:
        f.write("domain=lan.test\ndhcp-range=10.7.0.100,10.7.0.199,12h\ninterface=br0\ndhcp-host=02:00:00:00:10:01,nas,10.7.0.20\nserver=/corp.example/10.0.0.53\n"
                "address=/apps.lan.test/10.7.0.9\nno-such-thing=1\n")
    code, out, err = lanthorn("import", "dnsmasq", conf)
    taken = f"{lan.dir}/taken.yaml"
    with open(taken, "w") as f:
        f.write(out)
    check("a dnsmasq.conf becomes a configuration", code == 0 and "10.7.0.20" in out and "corp.example" in out, (code, out, err))
    check("that is good", lanthorn("check", taken)[0] == 0, (out, lanthorn("check", taken)))
    check("what cannot be had is said", "no-such-thing" in err, err)
done()
