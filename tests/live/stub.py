# SPDX-License-Identifier: Apache-2.0
"""A stub resolver for the tests: questions from a namespace, answers as dnspython sees them.

    s = Stub(lan.clients[0])
    m = s.ask("www.alpha.com")            # a message, or None when nothing came
    rcode(m), data(m), ede(m), soa(m)
"""
import random
import select
import socket
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from lan import SERVER


def query(name, rtype="A", edns=1232, flags=dns.flags.RD, do=False, **kw):
    """A question; edns None leaves the OPT record out. Letter case of the name is kept."""
    m = dns.message.make_query(name, rtype, use_edns=False if edns is None else 0, payload=edns or 0, want_dnssec=do, **kw)
    m.flags = flags
    m.id = random.randrange(1, 65536)
    return m


def framed(wire):
    return struct.pack("!H", len(wire)) + wire


def read_exactly(sock, n):
    """n bytes, or None when the connection ends or its timeout is over first."""
    b = b""
    try:
        while len(b) < n:
            part = sock.recv(n - len(b))
            if not part:
                return None
            b += part
    except OSError:
        return None
    return b


def read_framed(sock):
    head = read_exactly(sock, 2)
    return head and read_exactly(sock, struct.unpack("!H", head)[0])


class Stub:
    def __init__(self, ns, server=SERVER, port=53):
        self.ns, self.at = ns, (server, port)
        self.family = socket.AF_INET6 if ":" in server else socket.AF_INET

    def udp(self):
        s = self.ns.socket(self.family, socket.SOCK_DGRAM)
        s.connect(self.at)
        return s

    def tcp(self, timeout=5):
        s = self.ns.socket(self.family, socket.SOCK_STREAM)
        s.settimeout(timeout)
        s.connect(self.at)
        return s

    def raw(self, wire, timeout=4):
        """Send these bytes by UDP; the first datagram that comes back, or None."""
        try:
            with self.udp() as s:
                s.send(wire)
                s.settimeout(timeout)
                return s.recv(65535)
        except OSError:
            return None

    def raw_tcp(self, wire, timeout=4):
        try:
            with self.tcp(timeout) as s:
                s.sendall(framed(wire))
                return read_framed(s)
        except OSError:
            return None

    def ask(self, name, rtype="A", tcp=False, timeout=4, **kw):
        q = query(name, rtype, **kw)
        wire = (self.raw_tcp if tcp else self.raw)(q.to_wire(), timeout)
        if wire is None:
            return None
        m = dns.message.from_wire(wire, ignore_trailing=True)
        return m if m.id == q.id else None

    def many(self, questions, timeout=8, enough=None):
        """All questions at once over one UDP socket: {id: answer} of those that came in time, or of the first."""
        got, end = {}, time.monotonic() + timeout
        with self.udp() as s:
            for i, q in enumerate(questions):
                q.id = i + 1   # no two alike
                s.send(q.to_wire())
            while len(got) < (enough or len(questions)) and select.select([s], [], [], max(0, end - time.monotonic()))[0]:
                m = dns.message.from_wire(s.recv(65535))
                got[m.id] = m
        return got


def rcode(m):
    return dns.rcode.to_text(m.rcode()) if m is not None else "none"


def data(m, rtype="A"):
    """The data of that type in the answer section, as sorted text."""
    if m is None:
        return None
    want = dns.rdatatype.from_text(rtype)
    return sorted(rd.to_text() for rr in m.answer if rr.rdtype == want for rd in rr)


def owners(m):
    """(owner, type) of each RRset of the answer, in order, letter case as sent."""
    return [(rr.name.to_text(), dns.rdatatype.to_text(rr.rdtype)) for rr in m.answer]


def soa(m):
    """Owner of the SOA in the authority section, or None."""
    for rr in m.authority if m is not None else []:
        if rr.rdtype == dns.rdatatype.SOA:
            return rr.name.to_text()
    return None


def ede(m):
    return [int(o.code) for o in m.options if isinstance(o, dns.edns.EDEOption)] if m is not None else []


def flags(m):
    return dns.flags.to_text(m.flags).split() if m is not None else []


def ttl(m):
    """The least TTL of the answer section."""
    return min(rr.ttl for rr in m.answer)
