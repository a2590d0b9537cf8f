#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Durable, then named, then ACK: the order watched from outside.

strace stretches the moments: every fdatasync of the daemon takes 400 ms before it starts, and every
sending call lasts 400 ms longer than the packet needs to leave. So while the lease is not yet on disk
there must be no name and no ACK, and at the instant the ACK is on the wire (its sender still inside
the call) the name must answer and a copy of the store must hold the lease. Swapping any two of the
three steps breaks one of the checks."""
import json
import os
import shutil
import socket
import subprocess
import time

from dhcpload import DISCOVER, OFFER, REQUEST, Relay, Reply
from lan import BIN, DOMAIN, SERVER, Lan, check, dig_full, done, need, run

need("strace", "dig")
DELAY = "400000"

with Lan(clients=2) as lan:
    config = lan.config()
    lan.clients[0].run("ip", "addr", "add", "10.7.0.2/24", "dev", "eth0")
    lan.clients[1].run("ip", "addr", "add", "10.7.0.3/24", "dev", "eth0")
    d = lan.daemon(config, wrap=("strace", "-f", "-qq", "-o", f"{lan.dir}/strace", "-e", "trace=fdatasync,sendmmsg,sendto,sendmsg",
                                 "-e", f"inject=fdatasync:delay_enter={DELAY}",
                                 "-e", f"inject=sendmmsg,sendto,sendmsg:delay_exit={DELAY}"))
    lan.clients[0].enter()
    relay = Relay("10.7.0.2", SERVER, names=True)

    def name_status():
        status, _, answer, _ = dig_full(lan.clients[1], f"h1.{DOMAIN}", "A", SERVER)
        return status, [a.split()[-1] for a in answer]

    def in_a_copy(address):
        copy = f"{lan.dir}/copy"
        shutil.rmtree(copy, ignore_errors=True)
        os.mkdir(copy)
        shutil.copy(f"{lan.dir}/state/data.mdb", copy)
        p = run(f"{BIN}/lanthorn", "--state-dir", copy, "--json", "leases", check=False)
        return address in [l["address"] for l in json.loads(p.stdout or "[]")]

    relay.send(DISCOVER, 1)
    offers = []
    end = time.monotonic() + 10
    while not offers and time.monotonic() < end:
        try:
            data = relay.sock.recv(2048)
            offers = [r for r in [Reply(data)] if r.kind == OFFER]
        except BlockingIOError:
            time.sleep(0.005)
    check("an address is offered", offers)
    offer = offers[0]
    time.sleep(1)   # the sender of the offer is through with its stretched call
    relay.send(REQUEST, 1, [(50, socket.inet_aton(offer.yiaddr)), (54, offer.options[54])])
    early = name_status()   # dig takes some ms; the sync takes 400
    relay.pump(0)
    check("no name before the lease is durable", early[0] == "NXDOMAIN", early)
    check("no ACK before the lease is durable", not relay.acked, str(relay.acked))
    while not relay.acked and time.monotonic() < end + 10:
        try:
            relay.handle(relay.sock.recv(2048))
        except BlockingIOError:
            time.sleep(0.0005)
    stored = in_a_copy(offer.yiaddr)
    late = name_status()
    check("the ACK comes", relay.acked)
    check("at the ACK a copy of the store holds the lease", stored)
    check("at the ACK the name answers", late == ("NOERROR", [offer.yiaddr]), late)
done()
