#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=60
"""What a client may send, over UDP and TCP, and what it gets: EDNS, odd questions, pipelines, pieces."""
import select
import socket
import struct
import time

import dns.flags
import dns.message
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from internet import Authority, Internet, reply_to, zone
from lan import Lan, check, dig_full, done, need, until
from stub import Stub, data, flags, framed, query, rcode, read_framed

need("nsd", "dig", "kdig")

with Lan(clients=1) as lan:
    net = Internet(lan)
    lan.static()
    net.nsd("root", ["50.0.0.1"], {".": zone(".", "@ NS a.root-servers.net.\na.root-servers.net. A 50.0.0.1\n"
                                            "com. NS ns.com.\nns.com. A 50.0.1.1\nslow. NS ns.slow.\nns.slow. A 50.0.4.1")})
    names = "\n".join(f"n{i} A 50.9.0.{i + 1}" for i in range(100))
    net.nsd("com", ["50.0.1.1"], {"com.": zone("com.", "@ NS ns\nns A 50.0.1.1\nwww A 50.9.9.1\nwww TXT t\n"
                                              "mid TXT " + " ".join(f'"{c * 200}"' for c in "abcd") + "\n" + names)})

    def slow(q, asked):
        time.sleep(0.7)
        return reply_to(q, f"{asked.name} 300 A 50.9.8.1")

    Authority(net, "50.0.4.1", slow)
    net.ready()
    lan.config(dns=f"root-hints: {net.hints('50.0.0.1')}")
    d = lan.daemon()
    c = lan.clients[0]
    s = Stub(c)
    check("it resolves", data(s.ask("www.com")) == ["50.9.9.1"])

    # ---- EDNS ----
    m = s.ask("www.com")
    check("EDNS is answered with EDNS, version 0 and 1232 bytes", m.edns == 0 and m.payload == 1232, m.payload)
    check("no EDNS is answered without", s.ask("www.com", edns=None).edns == -1)
    q = query("www.com")
    q.use_edns(5, payload=1232)
    m = dns.message.from_wire(s.raw(q.to_wire()))
    check("a version to come is BADVERS, with ours", rcode(m) == "BADVERS" and m.edns == 0 and not m.answer, m)
    q = query("www.com", options=[dns.edns.GenericOption(65001, b"anything")])
    m = dns.message.from_wire(s.raw(q.to_wire()))
    check("an unknown option is ignored", data(m) == ["50.9.9.1"] and not [o for o in m.options if o.otype == 65001])
    status, fl, answer, _ = dig_full(c, "mid.com", "TXT", "10.7.0.1", "+bufsize=512", "+ignore")
    check("dig +bufsize=512: truncated", "tc" in fl and not answer, (fl, answer))
    status, fl, answer, _ = dig_full(c, "mid.com", "TXT", "10.7.0.1", "+noedns", "+ignore")
    check("dig +noedns: truncated at 512", "tc" in fl, fl)
    status, fl, answer, _ = dig_full(c, "mid.com", "TXT", "10.7.0.1", "+bufsize=512")
    check("dig goes on by TCP by itself", status == "NOERROR" and len(answer) == 1, answer)
    check("every truncated answer stays in the limit", len(s.raw(query("mid.com", "TXT", edns=None).to_wire())) <= 512)
    kd = c.out("kdig", "+short", "+time=2", "+tcp", "@10.7.0.1", "www.com")
    check("kdig over TCP agrees", kd == "50.9.9.1", kd)

    # ---- odd questions ----
    check("ANY is answered small (RFC 8482)", len(s.raw(query("com", "ANY").to_wire())) < 200)
    m = s.ask("www.com", "ANY")
    check("with something true", rcode(m) == "NOERROR" and m.answer, m)

    def odd(change):
        q = query("www.com")
        change(q)
        wire = s.raw(q.to_wire())
        m = wire and dns.message.from_wire(wire)
        check_id = m is not None and m.id == q.id and "QR" in flags(m)
        return rcode(m) if check_id else "none"

    for op in (dns.opcode.NOTIFY, dns.opcode.UPDATE, dns.opcode.STATUS, 15):
        wire = bytearray(query("www.com").to_wire())
        wire[2] = (wire[2] & 0x87) | (int(op) << 3)
        r = s.raw(bytes(wire))
        check(f"opcode {int(op)} is NOTIMP", r and r[3] & 15 == 4 and r[2] & 0x80 and r[:2] == wire[:2], r)
    wire = query("version.bind", "TXT").to_wire().replace(b"\0\x10\0\1", b"\0\x10\0\3")
    r = s.raw(wire)
    check("class CH is REFUSED", r and r[3] & 15 == 5, r)
    one = query("www.com", edns=None).to_wire()
    two = one[:4] + b"\0\2" + one[6:] + one[12:]
    check("two questions are FORMERR", (r := s.raw(two)) and r[3] & 15 == 1, r)
    none = one[:4] + b"\0\0" + one[6:12]
    check("no question is FORMERR", (r := s.raw(none)) and r[3] & 15 == 1, r)
    check("a name cut short is FORMERR", (r := s.raw(one[:20])) and r[3] & 15 == 1, r)
    loop = one[:12] + b"\xc0\x0c" + b"\0\1\0\1"
    check("a name that points at itself is FORMERR", (r := s.raw(loop)) and r[3] & 15 == 1, r)
    for t in ("AXFR", "IXFR"):
        check(f"{t} is refused", (r := s.raw_tcp(query("com", t).to_wire())) and r[3] & 15 in (4, 5), r)
    check("a reply is not answered", s.raw(bytes([one[0], one[1], one[2] | 0x80]) + one[3:], 0.4) is None)
    check("nor is half a header", s.raw(one[:11], 0.4) is None)
    m = s.ask("n99.com", flags=0)
    check("no recursion asked for: nothing is fetched", data(m) == [] and rcode(m) in ("REFUSED", "NOERROR", "SERVFAIL"), m)
    check("what is cached may be told", data(s.ask("www.com", flags=0)) in (["50.9.9.1"], []))

    # ---- TCP ----
    questions = [query(f"n{i}.com") for i in range(100)]
    for i, q in enumerate(questions):
        q.id = i + 1   # random ones would meet once in a dozen runs
    with s.tcp() as t:
        t.sendall(b"".join(framed(q.to_wire()) for q in questions))
        got = {}
        while len(got) < 100 and (w := read_framed(t)):
            m = dns.message.from_wire(w)
            got[m.id] = m
        check("100 questions in one go are all answered",
              all(data(got.get(q.id)) == [f"50.9.0.{i + 1}"] for i, q in enumerate(questions)), len(got))
    with s.tcp() as t:
        first, second = query("a.slow"), query("www.com")
        t.sendall(framed(first.to_wire()) + framed(second.to_wire()))
        ids = [dns.message.from_wire(read_framed(t)).id for _ in range(2)]
        check("a slow answer does not hold up the next", ids == [second.id, first.id])
    with s.tcp() as t:
        t.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        q = query("n1.com")
        for b in framed(q.to_wire()):
            t.send(bytes([b]))
        check("a question in pieces of one byte", data(dns.message.from_wire(read_framed(t))) == ["50.9.0.2"])
    with s.tcp() as t:
        t.sendall(framed(query("b.slow").to_wire()))
        t.shutdown(socket.SHUT_WR)
        w = read_framed(t)
        check("who has closed its side is still answered", w and data(dns.message.from_wire(w)) == ["50.9.8.1"])
    with s.tcp() as t:
        t.sendall(b"\0\3abc" + framed(query("www.com").to_wire()))
        w = read_framed(t)
        check("half a header is skipped or ends the connection, unanswered", w is None or data(dns.message.from_wire(w)) == ["50.9.9.1"], w)
    idle = [s.tcp() for _ in range(60)]
    m = s.ask("n2.com", tcp=True)
    live = [t for t in idle if not select.select([t], [], [], 0)[0]]
    check("60 idle connections of one client do not keep another out", data(Stub(lan.srv).ask("n2.com", tcp=True)) == ["50.9.0.3"])
    check("and one client has no more than its share", until(3, lambda: len([t for t in idle if not select.select([t], [], [], 0)[0]]) <= 32),
          len(live))
    for t in idle:
        t.close()
    check("it goes on", data(s.ask("www.com")) == ["50.9.9.1"])
    check("a clean stop exits 0", d.stop() == 0)
done()
