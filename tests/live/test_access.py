#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=60
"""Strangers get nothing: no packet for who may not ask, no answer to garbage on any port, and no log that
grows with what they send."""
import os
import random
import socket
import struct
import time

from dhcpload import DISCOVER, packet
from lan import SERVER, Lan, check, done, need, run, until
from stub import Stub, framed, query, rcode

need("ip", "tftp")
SEED = int(os.environ.get("SEED", str(int(time.time()))))
random.seed(SEED)
print("seed", SEED)

with Lan(clients=1) as lan:
    # A network beyond a router: not connected to the daemon, hence outside of its default access list.
    far = lan.add("far")
    lan.join(far, lan.srv, "br0")
    far.run("ip", "addr", "add", "172.30.0.9/24", "dev", "eth0")
    far.run("ip", "route", "add", "10.7.0.0/24", "dev", "eth0")
    near = lan.clients[0]
    near.run("ip", "addr", "add", "10.7.0.9/24", "dev", "eth0")
    lan.srv.run("ip", "route", "add", "172.30.0.0/24", "dev", "br0")
    os.mkdir(f"{lan.dir}/tftp")
    with open(f"{lan.dir}/tftp/file", "w") as f:
        f.write("x")
    lan.config(extra=f"boot: {{ root: {lan.dir}/tftp }}\n")
    d = lan.daemon()
    stranger, friend = Stub(far), Stub(near)

    tap = far.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    tap.bind(("eth0", 0))
    tap.setblocking(False)

    def received(proto, port):
        """Packets of that kind that reached the stranger since the last call."""
        n = 0
        while True:
            try:
                b, at = tap.recvfrom(65535)
            except BlockingIOError:
                return n
            n += at[2] != socket.PACKET_OUTGOING and b[9] == proto and struct.unpack("!H", b[20:22])[0] == port

    check("a friend is answered", rcode(friend.ask("nobody.lan.test")) == "NXDOMAIN")
    received(0, 0)
    denied = d.metric("dns_denied_total")
    check("a stranger's question by UDP: no answer", stranger.ask("nobody.lan.test", timeout=0.6) is None)
    check("not a single packet", received(17, 53) == 0)
    check("by TCP: no answer", stranger.ask("nobody.lan.test", tcp=True, timeout=2) is None)
    for i in range(200):
        stranger_q = query(f"n{i}.lan.test").to_wire()
        with stranger.udp() as u:
            u.send(stranger_q)
    check("it is counted", until(3, lambda: d.metric("dns_denied_total") >= denied + 200), (denied, d.metric("dns_denied_total")))
    check("200 questions, not a single packet", received(17, 53) == 0)
    tftp = far.socket()
    tftp.connect((SERVER, 69))
    tftp.settimeout(0.6)
    tftp.send(b"\0\1file\0octet\0")
    try:
        answer = tftp.recv(600)
    except OSError:
        answer = None
    check("a stranger's file request gets no file", answer is None or answer[1] != 3, answer)

    # ---- garbage ----
    before = {k: d.metric(k) for k in ("dns_garbage_total", "dns_formerr_total", "dhcp_drop_malformed_total", "tftp_malformed_total")}
    u = near.socket()
    u.bind(("10.7.0.9", 68))
    u.settimeout(0.3)

    def blind(port, wires):
        for w in wires:
            u.sendto(w, (SERVER, port))
        n = 0
        try:
            while True:
                n += len(u.recv(65535)) > 0
        except OSError:
            return n

    question = query("nobody.lan.test", edns=None).to_wire()
    replies = [question[:2] + bytes([question[2] | 0x80]) + question[3:]] * 50
    short = [os.urandom(n) for n in range(12)] * 5
    check("replies and half headers at port 53 are not answered", blind(53, replies + short) == 0)
    check("counted", until(3, lambda: d.metric("dns_garbage_total") >= before["dns_garbage_total"] + 100), d.metric("dns_garbage_total"))
    noise = [os.urandom(random.randrange(12, 600)) for _ in range(500)]
    blind(53, noise)   # some of it looks like a question and gets FORMERR or NOTIMP
    good = packet(DISCOVER, b"\2\0\0\0\0\1", 7)
    bad_dhcp = ([os.urandom(random.randrange(1, 700)) for _ in range(200)] + [good[:n] for n in range(0, 240, 7)] +
                [good[:240] + bytes([53, 200, 1]), good[:236] + b"none" + good[240:], good[:2] + b"\x11" + good[3:]])
    check("garbage at port 67 is not answered", blind(67, bad_dhcp) == 0)
    check("counted", until(3, lambda: d.metric("dhcp_drop_malformed_total") > before["dhcp_drop_malformed_total"]))
    bad_tftp = [b"", b"\0", b"\0\1", b"\0\1file", b"\0\1file\0oct", b"\0\3\0\1data", b"\0\4\0\0", b"\0\5\0\1no\0", b"\0\7x\0octet\0"] + \
               [b"\0\0" + os.urandom(random.randrange(0, 500)) for _ in range(100)]
    check("garbage at port 69 is not answered", blind(69, bad_tftp) == 0)
    check("counted", until(3, lambda: d.metric("tftp_malformed_total") > before["tftp_malformed_total"]))
    with Stub(near).tcp() as t:
        t.sendall(os.urandom(3000))
    for n in range(1, 40):
        wire = framed(query("x.lan.test").to_wire())
        with Stub(near).tcp() as t:
            t.sendall(wire[:n])   # and gone
    check("it still answers", rcode(friend.ask("nobody.lan.test")) == "NXDOMAIN" and rcode(friend.ask("nobody.lan.test", tcp=True)) == "NXDOMAIN")

    # ---- and the log ----
    lines = d.text().count("\n")
    u.settimeout(0.05)
    for _ in range(10):
        blind(67, bad_dhcp)
        blind(53, noise[:100] + replies)
        for i in range(100):
            with stranger.udp() as k:
                k.send(question)
    grown = d.text().count("\n") - lines
    check("thousands of bad packets do not fill the log", grown <= 20, grown)
    print(f"     {grown} lines")
    got = run(*near.cmd("tftp", SERVER, "-m", "binary", "-c", "get", "file", f"{lan.dir}/got"), check=False)
    check("a friend still gets a file", os.path.exists(f"{lan.dir}/got") and open(f"{lan.dir}/got").read() == "x", got.stdout + got.stderr)
    check("a clean stop exits 0", d.stop() == 0)
done()
