#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
"""SIGKILL at random moments under DHCP load: no acknowledged lease is lost, no address is given twice.

ROUNDS (50) kills. What the wire said is compared with what the store says at rest and what the daemon says
after each start."""
import os
import random
import signal
import time

from dhcpload import Relay
from lan import SERVER, Lan, check, done, need

need("ip")
ROUNDS = int(os.environ.get("ROUNDS", "50"))
RATE = int(os.environ.get("RATE", "1500"))   # new clients a second; 500 rounds at 400 fill most of the pool
SEED = int(os.environ.get("SEED", str(int(time.time()))))
random.seed(SEED)
print(f"{ROUNDS} rounds, seed {SEED}")

with Lan(clients=1) as lan:
    config = lan.config(subnet="10.7.0.0/16", pool="10.7.64.0-10.7.255.254")
    lan.srv.run("ip", "addr", "add", SERVER + "/16", "dev", "br0")
    lan.srv.run("ip", "addr", "del", SERVER + "/24", "dev", "br0")
    lan.clients[0].run("ip", "addr", "add", "10.7.0.2/16", "dev", "eth0")
    d = lan.daemon(config)
    lan.clients[0].enter()
    relay = Relay("10.7.0.2", SERVER, names=True)
    n, lost, wrong = 1, [], []
    for r in range(ROUNDS):
        if r:
            d.start()
        n = relay.load(n, random.uniform(0.05, 0.35), RATE)
        d.signal(signal.SIGKILL)
        d.proc.wait()
        relay.pump(0.02)   # what was on the wire when it died
        stored = {l["address"]: l["mac"] for l in d.json("leases")}
        for mac, address in relay.acked.items():
            held = stored.get(address)
            if held != mac.hex(":"):
                (wrong if held else lost).append((r, mac.hex(":"), address, held))
        if lost or wrong:
            break
    acked = len(relay.acked)
    check(f"0 acknowledged leases lost ({acked} acknowledged)", not lost and acked > ROUNDS, str(lost[:5]))
    check("0 addresses given to another client", not wrong, str(wrong[:5]))
    check("each address was acknowledged to one client only", len(set(relay.acked.values())) == acked,
          f"{acked} clients, {len(set(relay.acked.values()))} addresses")
    check("no client was refused", relay.naked == 0, f"{relay.naked} NAKs")
    d.start()
    check("the daemon starts with all of them", len(d.leases()) >= acked, f"{len(d.leases())} of {acked}")
    check("and ends in order", d.stop() == 0)
done()
