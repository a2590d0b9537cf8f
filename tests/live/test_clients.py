#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real clients get leases and find one another by name; what a lease brings goes with it."""
import hashlib
import os
import signal

from lan import DOMAIN, SERVER, SERVER6, Lan, check, dig, dig_full, done, need, run, until

need("dhclient", "busybox", "dhcpcd", "dig", "kdig", "tftp", "curl")


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


with Lan(clients=3) as lan:
    root = f"{lan.dir}/tftp"
    os.mkdir(root)
    blob = os.urandom(300000)
    open(f"{root}/boot.img", "wb").write(blob)
    lan.config(extra=f"boot: {{ root: {root} }}\nrecord:\n  \"*.apps.{DOMAIN}\": {{ a: 10.7.0.9 }}\n",
               lan="device:\n  printer: { mac: \"02:00:00:00:00:99\", address: 10.7.0.50 }\n")
    d = lan.daemon()
    c1, c2, c3 = lan.clients
    lan.dhclient(c1)
    u = lan.udhcpc(c2)
    c3.popen("dhcpcd", "-B", "-C", "resolv.conf", "-C", "hostname", "-h", "c3", "--noipv6rs", "-4", "eth0", log=f"{lan.dir}/dhcpcd.log")
    for ns, kind in ((c1, "dhclient"), (c2, "udhcpc"), (c3, "dhcpcd")):
        check(f"{kind} gets an address", until(15, ns.address), open(f"{lan.dir}/{ns.name}.log").read()[-500:] if ns is not c3 else open(f"{lan.dir}/dhcpcd.log").read()[-800:])
    a1, a2, a3 = (ns.address() for ns in lan.clients)
    check("three different ones", len({a1, a2, a3}) == 3, (a1, a2, a3))

    check("c1 finds c2 by its full name", dig(c1, f"c2.{DOMAIN}") == [a2])
    check("c1 finds c2 by its bare name", dig(c1, "c2") == [a2], dig(c1, "c2"))
    check("c2 finds c1 by its bare name", dig(c2, "c1") == [a1])
    check("c3 finds c1 in upper case", dig(c3, f"C1.{DOMAIN.upper()}") == [a1])
    check("the address leads back to the name", dig(c1, reverse(a2), "PTR") == [f"c2.{DOMAIN}."])
    check("over TCP too", dig(c1, f"c2.{DOMAIN}", "A", SERVER, "+tcp") == [a2])
    check("and over IPv6", dig(lan.srv, f"c2.{DOMAIN}", "A", SERVER6) == [a2])
    status, flags, answer, authority = dig_full(c1, f"c2.{DOMAIN}", "AAAA")
    check("another type is NODATA with our SOA", status == "NOERROR" and not answer and "SOA" in "".join(authority), (status, answer, authority))
    check("it is ours to say so (AA)", "aa" in flags, flags)
    status, _, _, authority = dig_full(c1, f"c2.{DOMAIN}", "HTTPS")
    check("HTTPS is NODATA as well", status == "NOERROR" and "SOA" in "".join(authority))
    status, _, _, authority = dig_full(c1, f"nobody.{DOMAIN}", "A")
    check("an unknown name is NXDOMAIN with our SOA", status == "NXDOMAIN" and "SOA" in "".join(authority))
    check("a device of the configuration has its name before it comes", dig(c1, "printer") == ["10.7.0.50"])
    check("a wildcard record answers", dig(c1, f"x.apps.{DOMAIN}") == ["10.7.0.9"])
    kd = c1.out("kdig", "+short", "+time=2", f"@{SERVER}", f"c2.{DOMAIN}")
    check("kdig agrees", kd == a2, kd)

    got = run(*c1.cmd("tftp", SERVER, "-m", "binary", "-c", "get", "boot.img", f"{lan.dir}/got1"), check=False)
    same = lambda p: os.path.exists(p) and hashlib.sha256(open(p, "rb").read()).digest() == hashlib.sha256(blob).digest()
    check("tftp-hpa fetches a file", same(f"{lan.dir}/got1"), got.stdout + got.stderr)
    got = run(*c1.cmd("curl", "-sS", "--tftp-blksize", "1428", "-o", f"{lan.dir}/got2", f"tftp://{SERVER}/boot.img"), check=False)
    check("curl fetches it with larger blocks", same(f"{lan.dir}/got2"), got.stderr)
    got = run(*c1.cmd("busybox", "tftp", "-g", "-l", f"{lan.dir}/got3", "-r", "boot.img", "-b", "1428", SERVER), check=False)
    check("busybox fetches it", same(f"{lan.dir}/got3"), got.stderr)

    code, out = d.ctl("leases")
    check("`lanthorn leases` shows them", code == 0 and all(a in out for a in (a1, a2, a3)), out)
    u.send_signal(signal.SIGUSR2)
    check("after a release the name is gone", until(5, lambda: dig_full(c1, f"c2.{DOMAIN}")[0] == "NXDOMAIN"))
    check("and its reverse name", dig(c1, reverse(a2), "PTR") == [])
    u.send_signal(signal.SIGUSR1)
    check("back again it has the same address", until(10, lambda: c2.address() == a2), c2.address())
    check("and its name", until(5, lambda: dig(c1, "c2") == [a2]))
    d.signal(signal.SIGKILL)
    d.proc.wait()
    d.start()
    check("after SIGKILL all names answer at once", [dig(lan.srv, n) for n in ("c1", "c2", "c3")] == [[a1], [a2], [a3]])
    check("a clean stop exits 0", d.stop() == 0)
done()
