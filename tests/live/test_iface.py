#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=90
"""Interfaces come and go: a lan that is not there at the start, appears, is renumbered, vanishes and comes back is
served each time, a second lan never notices, and a third is behind a relay agent."""
from dhcpclient import Client, ip, option
from lan import DOMAIN, SERVER, Lan, check, dig, done, need, until
from stub import Stub, data, rcode

need("busybox", "dhclient", "dhcrelay", "dig")

with Lan(clients=2) as lan:
    lan.write("""lan:
  br0: { subnet: 10.7.0.0/24, pool: 10.7.0.100-10.7.0.199, router: 10.7.0.1, probe: no }
  late: { subnet: 10.8.0.0/24, pool: 10.8.0.100-10.8.0.199, probe: no }
  floor2: { interface: br2, subnet: 10.10.0.0/24, pool: 10.10.0.100-10.10.0.199, probe: no, domain: floor2.test }
  far: { relay: 10.9.0.1, subnet: 10.9.0.0/24, pool: 10.9.0.100-10.9.0.199, router: 10.9.0.1 }
""")
    lan.bridge("br2", "10.10.0.1/24")
    d = lan.daemon()
    c1 = lan.clients[0]
    on = lambda address: rcode(Stub(lan.srv, address).ask(f"nobody.{DOMAIN}", timeout=0.3)) == "NXDOMAIN"

    def still():
        """br0 goes on, whatever happens to the others."""
        return d.is_up() and rcode(Stub(c1).ask(f"nobody.{DOMAIN}")) == "NXDOMAIN" and Client(c1, 1).lease("first") is not None

    c1.run("ip", "addr", "add", "10.7.0.9/24", "dev", "eth0")
    check("it starts without one of its interfaces", still())
    check("and says which is missing", "interface not there" in d.ctl("status")[1], d.ctl("status")[1])

    # ---- it appears ----
    lan.bridge("late", "10.8.0.1/24")
    c3 = lan.client(3, "late")
    check("DNS is served there when it comes", until(5, lambda: on("10.8.0.1")))
    lan.udhcpc(c3)
    check("and DHCP, to a real client", until(15, c3.address) and c3.address().startswith("10.8.0."), c3.address())
    check("which resolves from there and is resolved", dig(c3, "first", "A", "10.8.0.1") and dig(c1, "c3") == [c3.address()])
    check("br0 did not notice", still())

    # ---- renumbered ----
    lan.srv.run("ip", "addr", "add", "10.8.0.2/24", "dev", "late")
    lan.srv.run("ip", "addr", "del", "10.8.0.1/24", "dev", "late")
    lan.srv.run("ip", "addr", "replace", "10.8.0.2/24", "brd", "+", "dev", "late")
    check("renumbered: DNS on the new address", until(5, lambda: on("10.8.0.2")))
    k = Client(c3, 30)
    r = until(5, lambda: (r := k.lease()) and option(r, 54) == ip("10.8.0.2") and r)
    check("DHCP speaks from it and names it", r and option(r, 6) == ip("10.8.0.2"), r and r.options)
    check("the old one is let go", "DAEMON_UNLISTEN" in d.text())
    check("br0 did not notice", still())

    # ---- gone, and back with another number ----
    lan.srv.run("ip", "link", "del", "late")
    check("gone: it says so", until(5, lambda: "interface not there" in d.ctl("status")[1]))
    check("br0 did not notice", still())
    lan.bridge("late", "10.8.0.1/24")
    c4 = lan.client(4, "late")
    check("back: DNS", until(5, lambda: on("10.8.0.1")))
    check("back: DHCP", until(5, lambda: Client(c4, 40).lease("again")))
    check("the leases of before are still there", data(Stub(lan.srv, "10.8.0.1").ask("c3")) != [])
    lan.srv.run("ip", "link", "set", "late", "down")
    lan.srv.run("ip", "link", "set", "late", "up")
    check("down and up", until(5, lambda: on("10.8.0.1") and Client(c4, 41).lease()))
    check("without an address", not lan.srv.run("ip", "addr", "flush", "dev", "late").returncode and
          until(5, lambda: not on("10.8.0.1")) and still())
    lan.srv.run("ip", "addr", "add", "10.8.0.1/24", "brd", "+", "dev", "late")
    check("and with it again", until(5, lambda: on("10.8.0.1") and Client(c4, 42).lease()))

    # ---- two lans, each its own ----
    c5 = lan.client(5, "br2")
    r = Client(c5, 50).lease("upstairs")
    check("another lan: its pool, its domain", r.yiaddr.startswith("10.10.0.") and option(r, 15) == b"floor2.test", r and (r.yiaddr, r.options))
    s = Stub(c1)
    check("the name is in that domain, and not in the other", data(s.ask("upstairs.floor2.test")) == [r.yiaddr] and
          rcode(s.ask(f"upstairs.{DOMAIN}")) == "NXDOMAIN")

    # ---- behind a relay ----
    relay = lan.add("relay")
    lan.join(relay, lan.srv, "br0")
    relay.run("ip", "addr", "add", "10.7.0.3/24", "dev", "eth0")
    relay.run("ip", "link", "add", "far", "type", "bridge", "forward_delay", "0")
    relay.run("ip", "link", "set", "far", "up")
    relay.run("ip", "addr", "add", "10.9.0.1/24", "brd", "+", "dev", "far")
    relay.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    lan.srv.run("ip", "route", "add", "10.9.0.0/24", "via", "10.7.0.3")
    c6 = lan.add("c6")
    lan.join(c6, relay, "far")
    relay.popen("dhcrelay", "-4", "-d", "-a", "-id", "far", "-iu", "eth0", SERVER, log=f"{lan.dir}/dhcrelay.log")
    until(5, lambda: ":67" in relay.out("ss", "-lunH"))
    lan.dhclient(c6)
    check("a client behind a relay gets an address of its lan", until(20, c6.address) and c6.address().startswith("10.9.0."),
          open(f"{lan.dir}/dhcrelay.log").read()[-1500:])
    check("it is resolved", dig(c1, "c6") == [c6.address()], (c6.address(), d.ctl("why", "c6"), c1.out("dig", "@" + SERVER, "c6"), d.json("leases")))
    check("and resolves, through the relay's network", dig(c6, "first") != [])
    check("all this in one life", d.is_up() and d.count("DAEMON_START") == 1)
    check("a clean stop exits 0", d.stop() == 0)
done()
