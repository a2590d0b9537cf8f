# SPDX-License-Identifier: Apache-2.0
"""An internet behind the daemon: the namespace `inet`, joined to the daemon's by up0, with real NSD
processes on addresses of its own, authorities that misbehave on request, and a wire that is read.

    net = Internet(lan)
    net.nsd("root", ["50.0.0.1"], {".": zone(".", "com NS ns.com\\nns.com A 50.0.1.1")})
    bad = Authority(net, "50.0.4.1", lambda q, how: ...)
    with Wire(net) as wire: ...; wire.questions
    lan.config(dns=f"root-hints: {net.hints('50.0.0.1')}")

The addresses are public ones on purpose: private ones in answers of public names are what the
rebinding protection removes. Nothing leaves the namespaces.
"""
import collections
import os
import select
import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from lan import until
from stub import framed, read_framed

NET4 = "50.0."          # every address of inet begins so; up0 has 50.0.255.254
NET6 = "2a01:7::"
SOA = "SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 {negative}"


def zone(name, text, ttl=300, negative=60):
    """A zone file: lines of `owner type data` (owner relative to the zone, @ for the zone itself)."""
    return f"$ORIGIN {name}\n$TTL {ttl}\n@ {SOA.format(negative=negative)}\n" + "\n".join(
        line.strip() for line in text.strip().split("\n")) + "\n"


class Nsd:
    """One NSD process that can be stopped and started again."""

    def __init__(self, net, name, addresses, zones):
        self.net, self.name, self.addresses = net, name, addresses
        self.dir = f"{net.lan.dir}/nsd-{name}"
        self.first = next(iter(zones))
        os.mkdir(self.dir)
        conf = ["server:", " server-count: 1", ' username: ""', ' database: ""', f' zonesdir: "{self.dir}"', " hide-version: yes",
                f' pidfile: "{self.dir}/pid"', f' xfrdfile: "{self.dir}/xfrd"', f' xfrdir: "{self.dir}"',
                f' zonelistfile: "{self.dir}/list"', f' logfile: "{self.dir}/log"', " round-robin: no", " refuse-any: yes"]
        conf += [f" ip-address: {a}" for a in addresses] + ["remote-control:", " control-enable: no"]
        for i, (origin, text) in enumerate(zones.items()):
            with open(f"{self.dir}/{i}.zone", "w") as f:
                f.write(text)
            conf += ["zone:", f' name: "{origin}"', f' zonefile: "{i}.zone"']
        with open(f"{self.dir}/conf", "w") as f:
            f.write("\n".join(conf) + "\n")
        self.start(wait=False)

    def start(self, wait=True):
        self.proc = self.net.ns.popen("nsd", "-d", "-c", f"{self.dir}/conf", log=f"{self.dir}/out")
        if wait:
            self.ready()

    def ready(self):
        q = dns.message.make_query(self.first, "SOA").to_wire()
        for a in self.addresses:
            family = socket.AF_INET6 if ":" in a else socket.AF_INET
            if not until(10, lambda: self.net.exchange(family, a, q)):
                log = open(f"{self.dir}/log").read() + open(f"{self.dir}/out").read()
                raise RuntimeError(f"NSD {self.name} does not answer on {a}:\n{log[-3000:]}")

    def stop(self):
        self.proc.terminate()
        self.proc.wait(10)


class Internet:
    def __init__(self, lan):
        self.lan = lan
        self.ns = lan.add("inet")
        self.servers = []
        lan.srv.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", self.ns.name)
        lan.srv.run("ip", "link", "set", "up0", "up")
        self.ns.run("ip", "link", "set", "eth0", "up")
        lan.srv.run("ip", "addr", "add", NET4 + "255.254/16", "dev", "up0")
        lan.srv.run("ip", "-6", "addr", "add", NET6 + "ffff/64", "dev", "up0", "nodad")

    def own(self, *addresses):
        """Give inet these addresses."""
        have = self.ns.out("ip", "-o", "addr", "show", "dev", "eth0")
        for a in addresses:
            if f" {a}/" not in have:
                self.ns.run("ip", "addr", "add", a + ("/64" if ":" in a else "/16"), "dev", "eth0", *(["nodad"] if ":" in a else []))

    def nsd(self, name, addresses, zones):
        """Start one; call ready() when all are."""
        self.own(*addresses)
        s = Nsd(self, name, addresses, zones)
        self.servers.append(s)
        return s

    def ready(self):
        for s in self.servers:
            s.ready()

    def exchange(self, family, address, wire, timeout=0.2):
        """Ask a server from the daemon's side of the wire."""
        with self.lan.srv.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            try:
                s.connect((address, 53))
                s.send(wire)
                return s.recv(65535)
            except OSError:
                return None

    def hints(self, *addresses):
        """A root hints file; its path."""
        path = f"{self.lan.dir}/root.hints"
        with open(path, "w") as f:
            for i, a in enumerate(addresses):
                name = f"{chr(97 + i)}.root-servers.net."
                f.write(f". 3600000 NS {name}\n{name} 3600000 {'AAAA' if ':' in a else 'A'} {a}\n")
        return path

    def silence(self, *addresses):
        """What is sent there from now on meets silence, not even an ICMP error."""
        self.own(*addresses)
        for a in addresses:
            self.ns.run("nft", f"add table inet quiet; add chain inet quiet in {{ type filter hook input priority 0; }}; "
                        f"add rule inet quiet in {'ip6' if ':' in a else 'ip'} daddr {a} drop")


class Asked(collections.namedtuple("Asked", "to name rtype is_tcp")):
    """One question seen; name in the letter case that was sent, with the final dot."""


class Authority(threading.Thread):
    """A DNS server of the test's own on UDP and TCP: answer(query message, Asked) gives a message, bytes,
    or None for silence; asked lists the questions in order."""

    def __init__(self, net, address, answer):
        super().__init__(daemon=True)
        net.own(address)
        self.address, self.answer, self.asked = address, answer, []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.udp = net.ns.socket(family, socket.SOCK_DGRAM)
        self.tcp = net.ns.socket(family, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.udp.bind((address, 53))
        self.tcp.bind((address, 53))
        self.tcp.listen(64)
        self.start()

    def run(self):
        while True:
            for s in select.select([self.udp, self.tcp], [], [])[0]:
                if s is self.tcp:
                    conn = self.tcp.accept()[0]
                    threading.Thread(target=self.serve, args=(conn,), daemon=True).start()
                    continue
                wire, peer = self.udp.recvfrom(65535)
                threading.Thread(target=self.reply, args=(wire, False, lambda b, p=peer: self.udp.sendto(b, p)), daemon=True).start()

    def serve(self, conn):
        with conn:
            conn.settimeout(10)
            while (wire := read_framed(conn)):
                self.reply(wire, True, lambda b: conn.sendall(framed(b)))

    def reply(self, wire, is_tcp, send):
        q = dns.message.from_wire(wire)
        a = Asked(self.address, q.question[0].name.to_text(), dns.rdatatype.to_text(q.question[0].rdtype), is_tcp)
        self.asked.append(a)
        r = self.answer(q, a)
        if r is not None:
            send(r if isinstance(r, bytes) else r.to_wire())


def reply_to(q, *lines, authority=(), additional=(), rcode=0, aa=True, tc=False):
    """An answer to q; lines are `owner ttl type data` with absolute owners."""
    r = dns.message.make_response(q)
    r.flags |= (dns.flags.AA if aa else 0) | (dns.flags.TC if tc else 0)
    r.set_rcode(rcode)
    for section, texts in ((r.answer, lines), (r.authority, authority), (r.additional, additional)):
        for line in texts:
            owner, ttl, rtype, rest = line.split(None, 3)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, rest))
    return r


class Wire(threading.Thread):
    """Reads what the daemon asks: questions is the list of all that went to inet, by UDP or TCP."""

    def __init__(self, net):
        super().__init__(daemon=True)
        self.questions, self.is_over = [], False
        self.sock = net.ns.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sock.bind(("eth0", 0))
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.is_over = True
        self.join(5)
        self.sock.close()

    def run(self):
        while not self.is_over:
            if not select.select([self.sock], [], [], 0.05)[0]:
                continue
            b, at = self.sock.recvfrom(65535)
            if at[2] != socket.PACKET_OUTGOING and at[1] in (0x0800, 0x86dd):
                self.take(b)

    def take(self, b):
        if b[0] >> 4 == 4:
            at, proto, to = (b[0] & 15) * 4, b[9], socket.inet_ntoa(b[16:20])
        else:
            at, proto, to = 40, b[6], socket.inet_ntop(socket.AF_INET6, b[24:40])
        if proto not in (6, 17) or struct.unpack("!H", b[at + 2:at + 4])[0] != 53:
            return
        dns_at = at + 8 if proto == 17 else at + (b[at + 12] >> 4) * 4 + 2
        if len(b) < dns_at + 12 or b[dns_at + 2] & 0x80:
            return   # a TCP segment without a message
        labels, i = [], dns_at + 12
        while i < len(b) and b[i]:
            labels.append(b[i + 1:i + 1 + b[i]].decode("latin-1"))
            i += 1 + b[i]
        rtype = struct.unpack("!H", b[i + 1:i + 3])[0]
        self.questions.append(Asked(to, ".".join(labels) + ".", dns.rdatatype.to_text(rtype), proto == 6))

    def settle(self):
        """Wait until no more packets are on their way, then the questions so far."""
        time.sleep(0.1)
        return list(self.questions)

    def to(self, *addresses):
        return [q for q in self.questions if q.to in addresses]

    def about(self, suffix):
        """Questions about suffix or below it, whatever their letter case."""
        s = suffix.lower().rstrip(".") + "."
        return [q for q in self.questions if q.name.lower() == s or q.name.lower().endswith("." + s)]
