# SPDX-License-Identifier: Apache-2.0
"""A DHCP client made by hand: raw frames from a client's namespace, any MAC, any message.

    c = Client(lan.clients[0], 1)
    ack = c.lease("printer")              # DISCOVER, REQUEST; the ACK, a NAK, or None
    c.send(DECLINE, (50, ip(ack.yiaddr)), (54, ip(SERVER)))
"""
import random
import select
import socket
import struct
import time

from dhcpload import ACK, DISCOVER, NAK, OFFER, REQUEST, RELEASE, Reply, mac_of, packet
from lan import SERVER

ip = socket.inet_aton
BROADCAST = "255.255.255.255"


def option(r, code):
    return r.options.get(code) if r is not None else None


def number(r, code):
    b = option(r, code)
    return int.from_bytes(b, "big") if b else None


def ip_sum(b):
    total = sum(struct.unpack(f"!{len(b) // 2}H", b))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


class Client:
    def __init__(self, ns, n, dev="eth0"):
        self.ns, self.mac, self.dev = ns, mac_of(n) if isinstance(n, int) else bytes.fromhex(n.replace(":", "")), dev
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.sock.bind((dev, 0))
        self.xid = random.randrange(1, 1 << 32)
        self.last = None   # the lease held

    def close(self):
        self.sock.close()

    def send(self, kind, *options, ciaddr="0.0.0.0", src="0.0.0.0", dst=BROADCAST, dst_mac=b"\xff" * 6, flags=0, **kw):
        payload = packet(kind, self.mac, self.xid, ciaddr=ciaddr, options=options, flags=flags, **kw)
        udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, ip(src), ip(dst))
        head = head[:10] + struct.pack("!H", ip_sum(head)) + head[12:]
        self.sock.send(dst_mac + self.mac + b"\x08\0" + head + udp)

    def receive(self, kind=None, timeout=2.0):
        """The next answer to our xid (of that kind), with to_mac and to_ip; None when none comes."""
        end = time.monotonic() + timeout
        while select.select([self.sock], [], [], max(0, end - time.monotonic()))[0]:
            b, at = self.sock.recvfrom(65535)
            if at[2] == socket.PACKET_OUTGOING or len(b) < 282 or b[23] != 17 or b[36:38] != b"\0\x44":
                continue
            r = Reply(b[42:])
            r.to_mac, r.to_ip, r.from_ip, r.length = b[:6], socket.inet_ntoa(b[30:34]), socket.inet_ntoa(b[26:30]), len(b) - 42
            r.from_mac = b[6:12]
            if r.xid == self.xid and r.mac == self.mac and kind in (None, r.kind):
                return r
        return None

    def ask(self, kind, *options, want=None, timeout=2.0, **kw):
        self.xid = random.randrange(1, 1 << 32)
        self.send(kind, *options, **kw)
        return self.receive(want, timeout)

    def discover(self, *options, **kw):
        return self.ask(DISCOVER, *options, want=OFFER, **kw)

    def select(self, offer, *options, **kw):
        """Take an offer; the ACK or NAK."""
        r = self.ask(REQUEST, (50, ip(offer.yiaddr)), (54, offer.options[54]), *options, **kw)
        self.last = r if r is not None and r.kind == ACK else None
        return r

    def lease(self, name=None, *options, **kw):
        options = [*options, *([(12, name.encode())] if name else [])]
        offer = self.discover(*options, **kw)
        return self.select(offer, *options, **kw) if offer is not None else None

    def renew(self, *options, **kw):
        """Unicast, as in RENEWING; the namespace has the address meanwhile, so that ARP finds it."""
        address = [self.last.yiaddr + "/32", "dev", self.dev]
        self.ns.run("ip", "addr", "replace", *address)
        try:
            return self.ask(REQUEST, *options, ciaddr=self.last.yiaddr, src=self.last.yiaddr, dst=self.last.from_ip,
                            dst_mac=self.last.from_mac, **kw)
        finally:
            self.ns.run("ip", "addr", "del", *address)

    def release(self, *options):
        """No answer is due; wait for the effect."""
        self.ask(RELEASE, (54, self.last.options[54]), *options, ciaddr=self.last.yiaddr, src=self.last.yiaddr, dst=self.last.from_ip,
                 dst_mac=self.last.from_mac, timeout=0)
