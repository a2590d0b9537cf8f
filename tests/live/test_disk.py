#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=120
"""Disks fail: full, broken for a moment, damaged while we were away. No ACK without a lease on disk, DNS goes on, what
is damaged is set aside and said, and no lease vanishes in silence."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

from dhcpclient import Client
from dhcpload import Relay
from lan import BIN, DOMAIN, SERVER, Lan, check, done, need, run, until
from stub import Stub, data, rcode

need("strace", "mount")


def stored(lan, d):
    """What a copy of the store says, and nothing but that."""
    copy = f"{lan.dir}/copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(d.state_dir(), copy, ignore=lambda _, names: [n for n in names if n.endswith(".sock")])
    p = run(f"{BIN}/lanthorn", "--state-dir", copy, "--json", "leases")
    return {l["address"]: l["mac"] for l in json.loads(p.stdout)}


def full_disk(lan):
    os.mkdir(f"{lan.dir}/state")
    run("mount", "-t", "tmpfs", "-o", "size=2500k", "none", f"{lan.dir}/state")
    filler = f"{lan.dir}/state/filler"
    try:
        d = lan.daemon(lan.config(subnet="10.7.0.0/16", pool="10.7.64.0-10.7.255.254"))
        relay.send(1, 1)
        check("a lease while there is room", until(5, lambda: relay.pump(0.05) is not None and relay.acked))
        fd = os.open(filler, os.O_CREAT | os.O_WRONLY)
        try:
            while os.write(fd, b"x" * 4096):
                pass
        except OSError:
            os.close(fd)
        n, seen = 2, -1
        while len(relay.acked) > seen and n < 20000:   # until a whole round brings no ACK
            seen = len(relay.acked)
            for n in range(n, n + 300):
                relay.send(1, n)
            n += 1
            relay.pump(0.7)
        check(f"on a full disk ACKs end ({seen} came before)", n < 20000)
        check("and the failed commits are told once or twice, not each",
              1 <= d.count("DHCP_COMMIT_FAILED") <= 3 or "DHCP_COMMIT" in d.text(), d.text()[-1500:])
        check("DNS goes on", rcode(dns.ask(f"nobody.{DOMAIN}")) == "NXDOMAIN" and data(dns.ask(f"h1.{DOMAIN}")) == [relay.acked[bytes([2, 0, 0, 0, 0, 1])]])

        def degraded():
            relay.send(1, 20000 + int(time.monotonic() * 10) % 10000)   # one more client in vain: one more commit
            relay.pump(0.1)
            return "degraded" in d.ctl("status")[1]
        check("`lanthorn status` says it is degraded", until(10, degraded), d.ctl("status")[1])
        held = stored(lan, d)
        check("every lease that was acknowledged is on disk", all(held.get(a) == m.hex(":") for m, a in relay.acked.items()),
              len(relay.acked) - len(held))
        os.unlink(filler)
        before = len(relay.acked)

        def again():
            relay.send(1, 30000 + int(time.monotonic() * 10) % 30000)
            relay.pump(0.2)
            return len(relay.acked) > before
        check("with room again, ACKs again", until(15, again))
        check("and all is well", until(5, lambda: "degraded" not in d.ctl("status")[1]))
        check("a clean stop exits 0", d.stop() == 0)
    finally:
        for d in lan.daemons:
            d.kill()
        run("umount", "-l", f"{lan.dir}/state", check=False)
    os.rmdir(f"{lan.dir}/state")


def failing_sync(lan):
    d = lan.daemon(lan.config())
    c = Client(lan.clients[0], 100001)
    check("a lease", c.lease("before"))
    trace = subprocess.Popen(["strace", "-f", "-qq", "-o", f"{lan.dir}/strace", "-p", str(d.pid()), "-e", "trace=fdatasync,fsync,msync,pwritev,pwrite64",
                              "-e", "inject=fdatasync,fsync,msync:error=EIO"], stderr=open(f"{lan.dir}/strace.err", "wb"))
    until(5, lambda: all(re.search(r"TracerPid:\s*[1-9]", open(f"/proc/{d.pid()}/task/{t}/status").read()) for t in os.listdir(f"/proc/{d.pid()}/task")))
    k = Client(lan.clients[0], 100002)
    r = k.lease("during", timeout=1.0)
    check("a sync that fails: no ACK", r is None, r and r.kind)
    check("it was tried", until(3, lambda: "INJECTED" in open(f"{lan.dir}/strace").read()))
    check("and no name", rcode(dns.ask(f"during.{DOMAIN}")) == "NXDOMAIN")
    check("DNS goes on", data(dns.ask(f"before.{DOMAIN}")) == [c.last.yiaddr])
    trace.send_signal(signal.SIGINT)
    trace.wait(10)
    check("the disk works again: the next is granted", until(10, lambda: k.lease("during", timeout=0.5)))
    check("with its name", data(dns.ask(f"during.{DOMAIN}")) == [k.last.yiaddr])
    before = d.leases()
    d.signal(signal.SIGKILL)
    d.proc.wait()
    d.start()
    check("after a kill both are there, with the same end", set(before) == {c.last.yiaddr, k.last.yiaddr} and d.leases() == before, (before, d.leases()))
    check("a clean stop exits 0", d.stop() == 0)


def damage(lan):
    """The data file is changed while nothing runs; a snapshot lies beside it or not."""
    d = lan.daemons[-1]
    d.start()
    for n in range(1, 61):
        relay.send(1, 50000 + n)
    relay.pump(1.5)
    want = dict((l["address"], l["mac"]) for l in d.leases().values())
    check("leases to lose", len(want) == 62, len(want))
    check("a clean stop exits 0", d.stop() == 0)
    state, good = d.state_dir(), f"{lan.dir}/good"
    shutil.copytree(state, good)
    size = os.path.getsize(f"{good}/data.mdb")
    used = len(open(f"{good}/data.mdb", "rb").read().rstrip(b"\0"))

    def cut(f):
        f.truncate(used // 2 // 4096 * 4096)

    def zero_pages(f):
        text = f.read(used)
        for i in {m.start() // 4096 for m in re.finditer(re.escape(bytes.fromhex(want_mac.replace(":", ""))), text)}:
            f.seek(i * 4096)
            f.write(bytes(4096))

    def zero_meta(f):
        f.write(bytes(8192))

    def flip(f):
        data_ = f.read(used)
        at = [m.start() for m in re.finditer(re.escape(bytes.fromhex(want_mac.replace(":", ""))), data_)]
        for i in at:
            f.seek(i)
            f.write(bytes([data_[i] ^ 0x40]))

    def empty(f):
        f.truncate(0)

    def noise(f):
        f.write(os.urandom(used))

    want_mac = next(iter(want.values()))
    for harm, loses in ((flip, 1), (zero_pages, None), (cut, None), (zero_meta, 0), (empty, None), (noise, None)):
        for has_snapshot in (False, True):
            shutil.rmtree(state)
            shutil.copytree(good, state)
            if has_snapshot:
                os.makedirs(f"{state}/snapshots", exist_ok=True)
                shutil.copy(f"{good}/data.mdb", f"{state}/snapshots/leases-1.mdb")
            with open(f"{state}/data.mdb", "r+b") as f:
                harm(f)
            what = f"{harm.__name__}, {'with' if has_snapshot else 'without'} a snapshot"
            said = d.count("DAEMON_STORE_DAMAGED")
            d.start()
            have = {a: l["mac"] for a, l in d.leases().items()}
            wrong = {a: m for a, m in have.items() if want.get(a) != m}
            lost = len(want) - len(have)
            told = d.count("DAEMON_STORE_DAMAGED") > said
            good_result = not wrong and (not lost or told) and (not has_snapshot or not lost)
            if not has_snapshot and loses is not None:
                good_result = good_result and lost <= loses
            check(f"{what}: {lost} lost, none wrong, {'said' if told else 'unsaid'}", good_result, (lost, wrong))
            if d.stop() != 0:
                check(f"{what}: a clean stop", False)


with Lan(clients=1) as lan:
    c1 = lan.clients[0]
    c1.run("ip", "addr", "add", "10.7.0.2/16", "dev", "eth0")
    lan.srv.run("ip", "addr", "add", SERVER + "/16", "brd", "+", "dev", "br0")
    lan.srv.run("ip", "addr", "del", SERVER + "/24", "dev", "br0")
    dns = Stub(c1)
    c1.enter()
    relay = Relay("10.7.0.2", SERVER, names=True)
    full_disk(lan)
    relay.acked.clear()
    lan.srv.run("ip", "addr", "add", SERVER + "/24", "brd", "+", "dev", "br0")
    lan.srv.run("ip", "addr", "del", SERVER + "/16", "dev", "br0")
    failing_sync(lan)
    damage(lan)
done()
