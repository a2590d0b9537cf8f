#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=90
"""Authorities that are slow, dead or away for a while: one question for many clients, falling TTLs, expired
answers while there is nothing better, and an answer again as soon as the world is back."""
import time

import dns.message

from internet import Authority, Internet, Wire, reply_to, zone
from lan import Lan, check, done, need, until
from stub import Stub, data, ede, framed, query, rcode, read_framed, ttl

need("nsd", "nft")

with Lan(clients=1) as lan:
    net = Internet(lan)
    lan.static()
    root = net.nsd("root", ["50.0.0.1"], {".": zone(".", """
        @ NS a.root-servers.net.
        a.root-servers.net. A 50.0.0.1
        com. NS ns.com.
        ns.com. A 50.0.1.1
        slow. NS ns.slow.
        ns.slow. A 50.0.4.1
        mute. NS ns1.mute.
        mute. NS ns2.mute.
        ns1.mute. A 50.0.9.1
        ns2.mute. A 50.0.9.2
        """, ttl=86400)})
    com = net.nsd("com", ["50.0.1.1"], {"com.": zone("com.", "@ NS ns\nns A 50.0.1.1\nwww 2 A 50.9.0.1\nlong 300 A 50.9.0.2\n"
                                                    "never 2 A 50.9.0.3\nother A 50.9.0.4")})

    def slow(q, asked):
        time.sleep(0.5)
        return reply_to(q, f"{asked.name} 300 A 50.9.8.1")

    auth = Authority(net, "50.0.4.1", slow)
    net.silence("50.0.9.1", "50.0.9.2")
    net.ready()
    lan.config(dns=f"root-hints: {net.hints('50.0.0.1')}\nworkers: 1\nqname-minimisation: no")
    d = lan.daemon()
    s = Stub(lan.clients[0])

    # A question to silent servers; it ends while the rest of the test goes on.
    wire = Wire(net)
    wire.__enter__()
    mute = s.tcp(timeout=15)
    mute.sendall(framed(query("www.mute").to_wire()))

    # ---- many clients, one question ----
    check("warm", rcode(s.ask("first.slow")) == "NOERROR")
    auth.asked.clear()
    got = s.many([query("same.slow") for _ in range(150)], enough=95)   # a few of 150 numbers may be the same
    check("one question 150 times at once: as many as may wait get the answer", len(got) >= 95 and {tuple(data(m)) for m in got.values()} == {("50.9.8.1",)},
          len(got))
    check("and it was asked once", len([a for a in auth.asked if a.name.lower() == "same.slow."]) == 1, auth.asked)

    # ---- time ----
    m1 = s.ask("long.com")
    until(4, lambda: ttl(s.ask("long.com")) < ttl(m1), every=0.2)
    m2 = s.ask("long.com")
    check("a cached answer's TTL falls", ttl(m2) < ttl(m1) <= 300, (ttl(m1), ttl(m2)))

    # ---- the world goes away ----
    check("a short-lived answer", data(s.ask("www.com")) == ["50.9.0.1"])
    com.stop()
    root.stop()
    # What is known is told after its end, when nobody can be asked (RFC 8767).
    def stale():
        m = s.ask("www.com")
        return m if m is not None and 3 in ede(m) else None
    m = until(15, stale, every=0.3)
    check("an expired answer while its servers are away, marked so", data(m) == ["50.9.0.1"], m)
    check("with a short TTL", m is not None and ttl(m) <= 30, m)
    check("what lives is served as ever", data(s.ask("long.com")) == ["50.9.0.2"])
    m = until(15, lambda: (m := s.ask("other.com", timeout=2)) and rcode(m) == "SERVFAIL" and m, every=0.1)
    check("what was never known is SERVFAIL", rcode(m) == "SERVFAIL", m)
    check("and says why (EDE 22 or 23)", {22, 23} & set(ede(m)), m)

    # ---- and comes back ----
    root.start()
    com.start()
    t0 = time.monotonic()
    ok = until(12, lambda: data(s.ask("other.com")) == ["50.9.0.4"], every=0.2)
    check("answers come back by themselves", ok)
    print(f"     {time.monotonic() - t0:.1f} s after the servers")
    m = dns.message.from_wire(read_framed(mute))
    check("silent servers end in SERVFAIL, which says why (EDE 22 or 23)", rcode(m) == "SERVFAIL" and {22, 23} & set(ede(m)), m)
    check("after few packets", 0 < len(wire.about("mute")) <= 40, len(wire.about("mute")))
    wire.__exit__()
    lan.srv.run("ip", "link", "set", "up0", "down")
    gone = until(15, lambda: rcode(s.ask("never.com", timeout=6)) == "SERVFAIL", every=0.1)
    check("without the uplink: SERVFAIL", gone)
    lan.srv.run("ip", "link", "set", "up0", "up")
    lan.srv.run("ip", "-6", "addr", "replace", "2a01:7::ffff/64", "dev", "up0", "nodad")
    t0 = time.monotonic()
    ok = until(12, lambda: data(s.ask("never.com")) == ["50.9.0.3"], every=0.1)
    check("with it: an answer", ok)
    print(f"     {time.monotonic() - t0:.1f} s after the link")
    check("a clean stop exits 0", d.stop() == 0)
done()
