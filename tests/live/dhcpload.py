# SPDX-License-Identifier: Apache-2.0
"""DHCPv4 messages by hand, and a load of clients behind a relay agent that we play.

A relay inside the lan's own subnet needs no raw sockets: it asks from its address, port 67, with giaddr
set, and the answers come back to it. Packets are built and read here, with nothing of the daemon's.
"""
import os
import random
import select
import socket
import struct
import time

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
MAGIC = b"\x63\x82\x53\x63"


def packet(kind, mac, xid, giaddr="0.0.0.0", ciaddr="0.0.0.0", options=(), flags=0):
    """One message; options: (code, bytes) pairs behind the type."""
    b = struct.pack("!BBBBIHH", 1, 1, 6, 0, xid, 0, flags)
    b += socket.inet_aton(ciaddr) + bytes(8) + socket.inet_aton(giaddr)
    b += mac + bytes(10) + bytes(64) + bytes(128) + MAGIC
    b += bytes([53, 1, kind])
    for code, data in options:
        b += bytes([code, len(data)]) + data
    b += b"\xff"
    return b.ljust(300, b"\0")


class Reply:
    def __init__(self, data):
        self.xid = struct.unpack("!I", data[4:8])[0]
        self.yiaddr = socket.inet_ntoa(data[16:20])
        self.siaddr = socket.inet_ntoa(data[20:24])
        self.mac = data[28:34]
        self.file = data[108:236].split(b"\0")[0].decode(errors="replace")
        self.options = {}
        i = 240
        while i < len(data) and data[i] != 255:
            if data[i] == 0:
                i += 1
                continue
            n = data[i + 1]
            self.options[data[i]] = self.options.get(data[i], b"") + data[i + 2:i + 2 + n]
            i += 2 + n
        self.kind = self.options.get(53, b"\0")[0]


def mac_of(n):
    return bytes([2, 0]) + struct.pack("!I", n)


class Relay:
    """Many clients behind one relay agent. Call in the relay's namespace (Ns.enter first)."""

    def __init__(self, address, server, names=False):
        self.address, self.server, self.names = address, server, names
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((address, 67))
        self.sock.setblocking(False)
        self.acked = {}   # mac -> address, as the wire said
        self.naked = 0

    def close(self):
        self.sock.close()

    def send(self, kind, n, options=(), ciaddr="0.0.0.0"):
        opts = list(options)
        if self.names:
            name = f"h{n}".encode()
            opts.append((12, name))
        try:
            self.sock.sendto(packet(kind, mac_of(n), n, self.address, ciaddr, opts), (self.server, 67))
        except OSError:
            pass   # the daemon is down: ECONNREFUSED

    def handle(self, data):
        r = Reply(data)
        if r.kind == OFFER:
            self.send(REQUEST, r.xid, [(50, socket.inet_aton(r.yiaddr)), (54, r.options[54])])
        elif r.kind == ACK:
            self.acked[r.mac] = r.yiaddr
        elif r.kind == NAK:
            self.naked += 1
        return r

    def pump(self, seconds):
        """Read answers for that long, or until none wait when seconds is 0."""
        end = time.monotonic() + seconds
        got = []
        while True:
            left = max(0, end - time.monotonic())
            if not select.select([self.sock], [], [], left)[0]:
                return got
            for _ in range(256):
                try:
                    got.append(self.handle(self.sock.recv(2048)))
                except BlockingIOError:
                    break
                except OSError:
                    break

    def load(self, first, seconds, per_s):
        """New clients from number first on, at that rate; the number after the last."""
        n, start = first, time.monotonic()
        while (now := time.monotonic()) - start < seconds:
            while n - first < (now - start) * per_s:
                self.send(DISCOVER, n)
                n += 1
            self.pump(0.002)
        return n
