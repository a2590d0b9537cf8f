#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=90
"""What DHCP promises a client: its address again, the time it asked for within bounds, its device's address by any
of its MACs, options as configured, and an address that somebody declined, released or let go."""
import os
import socket
import struct
import time

from dhcpclient import BROADCAST, Client, ip, number, option
from dhcpload import ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST, Reply, mac_of, packet
from lan import DOMAIN, SERVER, Lan, check, dig, done, need, until
from stub import Stub, data, rcode

need("busybox")

with Lan(clients=2) as lan:
    lan.bridge("small", "10.8.0.1/24")
    c3 = lan.client(3, "small")
    c1, c2 = lan.clients
    lan.write(f"""lan:
  br0:
    subnet: 10.7.0.0/24
    pool: [ 10.7.0.100-10.7.0.199 ]
    router: {SERVER}
    lease: 1h
    min-lease: 10m
    max-lease: 2h
    probe: no
    device:
      nas: {{ mac: [ "02:00:00:00:10:01", "02:00:00:00:10:02" ], address: 10.7.0.20 }}
      odd: {{ client-id: "ff:01:02:03", address: 10.7.0.21, lease: 30m }}
    option:
      ntp-servers: [ 10.7.0.5, 10.7.0.6 ]
      domain-search: [ {DOMAIN}, example.com ]
      mtu: 1400
      224: "hex:0a0b0c"
      225: {{ value: "text:forced", force: yes }}
  small:
    subnet: 10.8.0.0/24
    pool: [ 10.8.0.100-10.8.0.101 ]
    lease: 3s
    min-lease: 1s
    probe: no
""")
    d = lan.daemon()
    dns = Stub(lan.srv)
    mac = lambda a: (d.leases().get(a) or {}).get("mac")

    # ---- an address, and again ----
    a = Client(c1, 1)
    offer = a.discover((55, bytes([1, 3, 6, 15, 28, 42])))
    check("an offer from the pool", offer and offer.yiaddr.startswith("10.7.0.1"), offer and offer.yiaddr)
    check("unicast to the client's MAC and new address", offer.to_mac == a.mac and offer.to_ip == offer.yiaddr, (offer.to_mac, offer.to_ip))
    check("server, mask, router, DNS, domain, broadcast", option(offer, 54) == ip(SERVER) and option(offer, 1) == ip("255.255.255.0")
          and option(offer, 3) == ip(SERVER) and option(offer, 6) == ip(SERVER) and option(offer, 15) == DOMAIN.encode()
          and option(offer, 28) == ip("10.7.0.255"), offer.options)
    check("an hour, T1 at half, T2 at seven eighths", (number(offer, 51), number(offer, 58), number(offer, 59)) == (3600, 1800, 3150), offer.options)
    ack = a.select(offer)
    check("acknowledged", ack and ack.kind == ACK and ack.yiaddr == offer.yiaddr)
    check("the answer has no less than 300 bytes", offer.length >= 300, offer.length)
    ack = a.renew()
    check("a renewal by unicast", ack and ack.kind == ACK and ack.yiaddr == offer.yiaddr and ack.to_ip == offer.yiaddr, ack)
    check("the same client gets the same address again", a.lease().yiaddr == offer.yiaddr)
    b = Client(c2, 2)
    check("another client another one", b.lease().yiaddr != offer.yiaddr)
    r = a.ask(REQUEST, (50, ip(offer.yiaddr)))
    check("INIT-REBOOT with its own address", r and r.kind == ACK and r.yiaddr == offer.yiaddr)
    r = a.ask(REQUEST, (50, ip("192.168.9.9")))
    check("INIT-REBOOT with one of another network: NAK, to all", r and r.kind == NAK and r.to_ip == BROADCAST, r and (r.kind, r.to_ip))
    r = a.ask(REQUEST, (50, ip(b.last.yiaddr)))
    check("with somebody else's: NAK", r and r.kind == NAK, r)
    r = a.ask(REQUEST, (50, ip(offer.yiaddr)), (54, ip("10.7.0.77")), timeout=0.4)
    check("another server was chosen: silence", r is None, r)
    wish = Client(c1, 3)
    check("a free address that is asked for", wish.select(wish.discover((50, ip("10.7.0.150")))).yiaddr == "10.7.0.150")
    check("one outside of the pool is not given", not Client(c1, 4).discover((50, ip("10.7.0.250"))).yiaddr.endswith(".250"))

    # ---- time ----
    for asked, given in ((1200, 1200), (60, 600), (86400, 7200), (0xffffffff, 7200)):
        r = a.renew((51, struct.pack("!I", asked)))
        check(f"{asked} s asked for, {given} s given", number(r, 51) == given, number(r, 51))

    # ---- broadcast flag, rapid commit, INFORM ----
    r = Client(c1, 5).discover(flags=0x8000)
    check("the broadcast flag is obeyed", r.to_ip == BROADCAST and r.to_mac == b"\xff" * 6, (r.to_ip, r.to_mac))
    quick = Client(c1, 6)
    r = quick.ask(DISCOVER, (80, b""))
    check("rapid commit: an ACK at once", r and r.kind == ACK and option(r, 80) == b"", r and r.kind)
    check("and a lease", mac(r.yiaddr) == quick.mac.hex(":"), r.yiaddr)
    i = Client(c1, 7)
    c1.run("ip", "addr", "add", "10.7.0.77/24", "dev", "eth0")
    r = i.ask(INFORM, (55, bytes([6, 42])), ciaddr="10.7.0.77", src="10.7.0.77")
    c1.run("ip", "addr", "del", "10.7.0.77/24", "dev", "eth0")
    check("INFORM: options without address and time", r and r.kind == ACK and r.yiaddr == "0.0.0.0" and not option(r, 51)
          and option(r, 42) == ip("10.7.0.5") + ip("10.7.0.6") and r.to_ip == "10.7.0.77", r and (r.options, r.to_ip))
    check("and no lease", mac("10.7.0.77") is None)

    # ---- devices ----
    n1, n2 = Client(c1, "02:00:00:00:10:01"), Client(c2, "02:00:00:00:10:02")
    check("a device's address by one MAC", n1.lease("other-name").yiaddr == "10.7.0.20")
    check("and by the other", n2.lease().yiaddr == "10.7.0.20")
    check("its name is the configuration's", data(dns.ask(f"nas.{DOMAIN}")) == ["10.7.0.20"] and rcode(dns.ask(f"other-name.{DOMAIN}")) == "NXDOMAIN")
    odd = Client(c1, 8)
    r = odd.lease(None, (61, b"\xff\1\2\3"))
    check("a device by client identifier, with its own time", r.yiaddr == "10.7.0.21" and number(r, 51) == 1800, r and (r.yiaddr, number(r, 51)))
    check("the identifier comes back (RFC 6842)", option(r, 61) == b"\xff\1\2\3", r.options)
    check("nobody else gets it", Client(c2, 9).discover((50, ip("10.7.0.20"))).yiaddr not in ("10.7.0.20", "10.7.0.21"))

    # ---- options, as a real client sees them ----
    env = f"{lan.dir}/env"
    os.environ["LAN_ENV"] = env
    u = lan.udhcpc(c2, "-O", "ntpsrv", "-O", "search", "-O", "mtu", "-O", "224", "-O", "225")
    until(10, lambda: os.path.exists(env) and "opt225" in open(env).read())
    seen = dict(line.split("=", 1) for line in open(env).read().splitlines() if "=" in line)
    check("udhcpc sees options by name", (seen.get("ntpsrv"), seen.get("mtu"), seen.get("search")) ==
          ("10.7.0.5 10.7.0.6", "1400", f"{DOMAIN} example.com"), seen)
    check("and by number", seen.get("opt224", "").lower() == "0a0b0c" and bytes.fromhex(seen.get("opt225", "")) == b"forced", seen)
    r = Client(c1, 10).discover((55, b"\1"))
    check("what was not asked for is left out, what is forced is not", 224 not in r.options and option(r, 225) == b"forced", r.options)
    check("the order asked for is kept", [k for k in Client(c1, 11).discover((55, bytes([6, 42, 3, 1]))).options if k in (3, 6, 42)] == [6, 42, 3])

    # ---- release, decline ----
    rel = Client(c1, 12)
    address = rel.lease("leaver").yiaddr
    check("a name with the lease", data(dns.ask(f"leaver.{DOMAIN}")) == [address])
    rel.release()
    check("a release ends lease and name", until(3, lambda: rcode(dns.ask(f"leaver.{DOMAIN}")) == "NXDOMAIN" and address not in d.leases()))
    check("back again it gets the same", rel.lease("leaver").yiaddr == address)
    spoof = Client(c2, 13)
    spoof.ask(RELEASE, (54, ip(SERVER)), ciaddr=address, src=address, timeout=0)
    spoof.ask(DECLINE, (50, ip(address)), (54, ip(SERVER)), timeout=0)
    check("a stranger can neither release nor decline it", until(3, lambda: d.metric("dhcp_drop_not_holder_total") >= 2) and address in d.leases())
    dec = Client(c1, 14)
    bad = dec.lease("decliner").yiaddr
    dec.ask(DECLINE, (50, ip(bad)), (54, ip(SERVER)), timeout=0)
    check("a declined address is set aside", until(3, lambda: d.metric("dhcp_declined") == 1) and bad not in d.leases())
    check("its name is gone", rcode(dns.ask(f"decliner.{DOMAIN}")) == "NXDOMAIN")
    check("the client gets another", dec.lease().yiaddr != bad)
    check("nobody gets it who asks for it", Client(c2, 15).discover((50, ip(bad))).yiaddr != bad)

    # ---- a small pool and short leases ----
    s = [Client(c3, 100 + i) for i in range(4)]
    first, second = s[0].lease("one"), s[1].lease("two")
    check("a pool of two serves two", {first.yiaddr, second.yiaddr} == {"10.8.0.100", "10.8.0.101"} and number(first, 51) == 3)
    check("a third waits", s[2].discover(timeout=0.4) is None)
    check("and the log says why", d.waits_for("DHCP_POOL_EMPTY", 2))
    check("the names are there", data(dns.ask(f"one.{DOMAIN}")) == [first.yiaddr])
    check("the time over, the name goes by itself", until(8, lambda: s[1].renew() and rcode(dns.ask(f"one.{DOMAIN}")) == "NXDOMAIN", every=0.1))
    third = until(8, lambda: s[2].lease("three", timeout=0.5), every=0.1)
    check("the third gets the address that was free first", third and third.yiaddr == first.yiaddr, third and third.yiaddr)
    until(8, lambda: not [l for l in d.leases().values() if l["address"].startswith("10.8.")], every=0.1)
    check("an ended lease still comes back to its own client", s[1].discover().yiaddr == second.yiaddr)
    check("expired ones are remembered", {l["address"]: l["state"] for l in d.json("--all", "leases")}.get(second.yiaddr) == "expired",
          d.json("--all", "leases"))

    # ---- through a relay ----
    c1.run("ip", "addr", "add", "10.7.0.2/24", "dev", "eth0")
    with c1.socket() as relay:
        relay.bind(("10.7.0.2", 67))
        relay.settimeout(2)
        agent = b"\1\4port\2\6switch"
        relay.sendto(packet(DISCOVER, mac_of(200), 99, giaddr="10.7.0.2", options=[(82, agent)]), (SERVER, 67))
        r = Reply(relay.recv(2048))
        check("a relay's own option comes back to it unchanged", r.kind == OFFER and r.options.get(82) == agent and list(r.options)[-1] == 82, r.options)
        relay.sendto(packet(DISCOVER, mac_of(201), 98, giaddr="10.99.0.2"), (SERVER, 67))
        relay.settimeout(0.4)
        try:
            r = relay.recv(2048)
        except OSError:
            r = None
        check("a relay that is not ours gets nothing", r is None and d.metric("dhcp_drop_relay_total") == 1)
    check("a clean stop exits 0", d.stop() == 0)
done()
