#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=90
"""A change costs no state: reload keeps the cache, the leases and every socket, a wrong line changes nothing, and
the last good configuration carries a start."""
import os
import re
import signal
import subprocess
import threading
import time

import dns.message

from dhcpclient import Client
from internet import Internet, zone
from lan import BIN, DOMAIN, SERVER, Lan, check, done, need, until
from stub import Stub, data, framed, query, rcode, read_framed

need("nsd")


def change(path, old, new):
    with open(path) as f:
        text = f.read()
    assert old in text, old
    with open(path + ".new", "w") as f:
        f.write(text.replace(old, new))
    os.rename(path + ".new", path)


class Load(threading.Thread):
    """One client that asks by UDP without a pause; lost: questions without an answer within a second."""

    def __init__(self, stub, names):
        super().__init__(daemon=True)
        self.stub, self.names, self.is_over, self.sent, self.lost = stub, names, False, 0, []

    def run(self):
        with self.stub.udp() as u:
            u.settimeout(1)
            while not self.is_over:
                q = query(self.names[self.sent % len(self.names)])
                self.sent += 1
                u.send(q.to_wire())
                try:
                    while u.recv(4096)[:2] != q.id.to_bytes(2, "big"):
                        pass
                except OSError:
                    self.lost.append(q.question[0].to_text())


with Lan(clients=1) as lan:
    net = Internet(lan)
    lan.static()
    auth = net.nsd("root", ["50.0.0.1"], {".": zone(".", "@ NS a.root-servers.net.\na.root-servers.net. A 50.0.0.1\n"
                                                   "com. NS ns.com.\nns.com. A 50.0.0.1\n"),
                                          "com.": zone("com.", "@ NS ns\nns A 50.0.0.1\nwww A 50.9.0.1\n")})
    net.ready()
    devices = f"{lan.dir}/devices"
    with open(devices, "w") as f:
        f.write("02:00:00:00:00:09 10.7.0.60 scanner\n")
    config = lan.config(dns=f"root-hints: {net.hints('50.0.0.1')}", extra=f"devices: [ {devices} ]\nrecord:\n  web.{DOMAIN}: {{ a: 10.7.0.40 }}\n")
    d = lan.daemon()
    s = Stub(lan.clients[0])
    c = Client(lan.clients[0], 1)
    address = c.lease("laptop").yiaddr
    check("a name from outside, one of a lease, one of the configuration",
          (data(s.ask("www.com")), data(s.ask("laptop")), data(s.ask(f"web.{DOMAIN}"))) == (["50.9.0.1"], [address], ["10.7.0.40"]))
    auth.stop()

    # ---- a good change ----
    tcp = s.tcp()
    tcp.sendall(framed(query("laptop").to_wire()))
    read_framed(tcp)
    pid = d.pid()
    fds = lambda: sorted(os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd"))
    listening = lambda: {x for x in re.findall(r"^\S+\s+\S+\s+\S+\s+\S+\s+(\S+:\d+)\s.*ino:(\d+)", lan.srv.out("ss", "-lunteH"), re.M)}
    before = listening()
    change(config, "10.7.0.40", "10.7.0.41")
    change(config, "lease: 1h", "lease: 2h")
    code, out = d.ctl("reload")
    check("reload says what changed", code == 0 and "10.7.0.41" in out and "lease" in out, out)
    check("the change is there", data(s.ask(f"web.{DOMAIN}")) == ["10.7.0.41"])
    check("the cache is as it was: its servers are away", data(s.ask("www.com")) == ["50.9.0.1"])
    check("the lease too", data(s.ask("laptop")) == [address] and address in d.leases())
    check("the listening sockets are the same ones", listening() == before and len(before) >= 4, (before, listening()))
    tcp.sendall(framed(query("laptop").to_wire()))
    check("a TCP connection outlives it", data(dns.message.from_wire(read_framed(tcp) or b"\0" * 12)) == [address])
    tcp.close()
    r = c.renew()
    check("DHCP has the new time", r and int.from_bytes(r.options[51], "big") == 7200, r and r.options)
    code, out = d.ctl("reload")
    check("reload without a change says so", code == 0 and "nothing changed" in out, out)
    change(config, "10.7.0.41", "10.7.0.42")
    d.signal(signal.SIGHUP)
    check("SIGHUP does the same", until(5, lambda: data(s.ask(f"web.{DOMAIN}")) == ["10.7.0.42"]))

    # ---- under load ----
    load = [Load(Stub(lan.clients[0]), ["www.com", "laptop", f"web.{DOMAIN}", f"nobody.{DOMAIN}", f"scanner.{DOMAIN}"]),
            Load(Stub(lan.clients[0]), ["www.com"])]
    for t in load:
        t.start()
    for i in range(20):
        change(config, f"lease: {2 + i}h", f"lease: {3 + i}h")
        code, out = d.ctl("reload")
        if code:
            break
    until(20, lambda: sum(t.sent for t in load) > 500)   # reloads are quick; the load needs not be
    for t in load:
        t.is_over = True
    for t in load:
        t.join()
    sent = sum(t.sent for t in load)
    lost = [q for t in load for q in t.lost]
    check("20 reloads under load", code == 0, out)
    check(f"0 of {sent} questions lost", not lost and sent > 500, lost[:5])

    # ---- hot files ----
    with open(devices, "a") as f:
        f.write("02:00:00:00:00:0a 10.7.0.61 plotter\nnonsense\n")
    check("a devices file is taken in when it changes", until(4, lambda: data(s.ask("plotter")) == ["10.7.0.61"]))
    check("and its bad line is told", d.waits_for(f"{devices}:3:", 3))
    check("the device gets its address", Client(lan.clients[0], "02:00:00:00:00:0a").lease().yiaddr == "10.7.0.61")

    # ---- a wrong line ----
    change(config, "    probe: no\n", "    probe: no\n    leese: 5m\n")
    line = open(config).read().split("\n").index("    leese: 5m") + 1
    code, out = d.ctl("reload")
    check("a wrong line is refused with its place and the nearest key", code == 1 and f"{config}:{line}:5" in out and "lease" in out, out)
    check("and told in the log", d.count("DAEMON_RELOAD_FAILED") == 1 and f"{config}:{line}:5" in d.text())
    check("what was before goes on", data(s.ask(f"web.{DOMAIN}")) == ["10.7.0.42"] and data(s.ask("laptop")) == [address])
    check("it is asked for with SIGHUP too", not d.signal(signal.SIGHUP) and d.waits_for("DAEMON_RELOAD_FAILED", 5, 2))
    check("still serving", data(s.ask("laptop")) == [address])

    # ---- a start with it ----
    check("a clean stop exits 0", d.stop() == 0)
    d.start()
    check("a start with a wrong line runs on the last good configuration", data(s.ask(f"web.{DOMAIN}")) == ["10.7.0.42"] and data(s.ask("laptop")) == [address])
    check("loudly", "DAEMON_LAST_GOOD" in d.text() and f"{config}:{line}:5" in d.text())
    check("`lanthorn status` says so", "last good" in d.ctl("status")[1])
    change(config, "    leese: 5m\n", "")
    change(config, "10.7.0.42", "10.7.0.43")
    code, out = d.ctl("reload")
    check("mended, a reload takes it in", code == 0 and data(s.ask(f"web.{DOMAIN}")) == ["10.7.0.43"], out)
    check("and the alarm is over", "last good" not in d.ctl("status")[1])
    check("a clean stop exits 0", d.stop() == 0)

    bad = f"{lan.dir}/bad.yaml"
    with open(bad, "w") as f:
        f.write(f"state-dir: {lan.dir}/empty\nuser: none\ndns: [ 1 ]\n")
    p = subprocess.run(lan.srv.cmd(f"{BIN}/lanthornd", "-f", "-c", bad), capture_output=True, text=True, timeout=20)
    check("a wrong line and nothing good before: it does not start", p.returncode == 1 and f"{bad}:3:" in p.stderr, (p.returncode, p.stderr))
    p = subprocess.run([f"{BIN}/lanthornd", "--check", "-c", bad], capture_output=True, text=True, timeout=20)
    check("--check says the same", p.returncode == 1 and f"{bad}:3:" in p.stderr, p.stderr)
done()
