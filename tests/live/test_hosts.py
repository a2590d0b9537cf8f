#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=60
"""Names that are ours: hosts files and records, taken in while they are edited, and who wins: configuration over
leases, the first holder over the next, nobody over reserved names. Special names never go upstream."""
import os

from dhcpclient import Client
from internet import Internet, Wire, zone
from lan import DOMAIN, SERVER, Lan, check, dig, done, need, until
from stub import Stub, data, owners, rcode, soa

need("nsd", "dig")

# One name of each special zone; nothing of them may go upstream (RFC 6303, 6761, 6762, 7686, 8375, 9476, 6598).
ABSENT = ["x.local", "x.onion", "x.test", "x.invalid", "x.alt", "x.home.arpa", "use-application-dns.net", "_dns.resolver.arpa",
          "single-label", "nobody." + DOMAIN]
REVERSE = ["1.0.0.10", "1.16.172", "1.31.172", "1.168.192", "1.64.100", "1.127.100", "1.254.169", "1.2.0.192", "1.100.51.198",
           "1.113.0.203", "1.0", "255.255.255.255"]
REVERSE6 = ["1.d.f.ip6.arpa", "1.8.e.f.ip6.arpa", "1.8.b.d.0.1.0.0.2.ip6.arpa"]


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


with Lan(clients=2) as lan:
    net = Internet(lan)
    lan.static()
    net.nsd("root", ["50.0.0.1"], {".": zone(".", "@ NS a.root-servers.net.\na.root-servers.net. A 50.0.0.1\n"
                                            "com. NS ns.com.\nns.com. A 50.0.0.1\n"), "com.": zone("com.", "@ NS ns\nns A 50.0.0.1\nwww A 50.9.0.1\nhost A 50.9.0.2\nhalf A 50.9.0.3\nother A 50.9.0.4")})
    net.ready()
    folder = f"{lan.dir}/etc"
    os.mkdir(folder)
    hosts = f"{folder}/hosts"
    write(hosts, f"""127.0.0.1 localhost
127.0.1.1 thishost.{DOMAIN} thishost
10.7.0.30 nas.{DOMAIN} nas files
10.7.0.31 bare
fd07::30 nas
this is no line
10.7.0.999 broken
10.7.0.32 after
50.9.7.7 www.com
""")
    lan.config(dns=f"root-hints: {net.hints('50.0.0.1')}", extra=f"""hosts: [ {hosts} ]
record:
  web.{DOMAIN}: {{ cname: nas.{DOMAIN} }}
  mail.{DOMAIN}: {{ a: [ 10.7.0.40, 10.7.0.41 ], mx: "10 mail.{DOMAIN}", txt: "v=spf1 -all", ttl: 2m }}
  outside.{DOMAIN}: {{ cname: host.com }}
  "*.apps.{DOMAIN}": {{ a: 10.7.0.42 }}
  half.com: {{ aaaa: "fd07::42" }}
  over.example: {{ rr: "TXT replaced" }}
""")
    d = lan.daemon()
    c1, c2 = lan.clients
    s, here = Stub(c1), Stub(lan.srv, "127.0.0.1")
    rev = lambda a: ".".join(reversed(a.split("."))) + ".in-addr.arpa"

    # ---- the file as it is ----
    check("a full name", data(s.ask(f"nas.{DOMAIN}")) == ["10.7.0.30"])
    check("a bare name", data(s.ask("nas")) == ["10.7.0.30"])
    check("an alias", data(s.ask(f"files.{DOMAIN}")) == ["10.7.0.30"])
    check("both families", data(s.ask(f"nas.{DOMAIN}", "AAAA"), "AAAA") == ["fd07::30"])
    check("a bare name of the file belongs to the domain", data(s.ask(f"bare.{DOMAIN}")) == ["10.7.0.31"] and data(s.ask("bare")) == ["10.7.0.31"])
    check("the address leads back", data(s.ask(rev("10.7.0.30"), "PTR"), "PTR") == [f"nas.{DOMAIN}."])
    check("lines behind a bad one count", data(s.ask(f"after.{DOMAIN}")) == ["10.7.0.32"])
    log = d.text()
    check("bad lines are told with file and line", f"{hosts}:6:" in log and f"{hosts}:7:" in log, log[-2000:])
    check("a name of the internet may be overridden", data(s.ask("www.com")) == ["50.9.7.7"])
    check("our own 127.0.1.1 is not told to others", data(s.ask(f"thishost.{DOMAIN}")) == [], s.ask(f"thishost.{DOMAIN}"))
    check("but to ourselves", data(here.ask(f"thishost.{DOMAIN}")) == ["127.0.1.1"], here.ask(f"thishost.{DOMAIN}"))
    check("localhost is loopback for everybody", data(s.ask("localhost")) == ["127.0.0.1"] and data(s.ask("localhost", "AAAA"), "AAAA") == ["::1"])

    # ---- records ----
    m = s.ask(f"web.{DOMAIN}")
    check("an alias within", data(m) == ["10.7.0.30"] and owners(m)[0] == (f"web.{DOMAIN}.", "CNAME"), m)
    m = s.ask(f"mail.{DOMAIN}")
    check("several addresses with their TTL", data(m) == ["10.7.0.40", "10.7.0.41"] and m.answer[0].ttl == 120, m)
    check("other types of a record", data(s.ask(f"mail.{DOMAIN}", "MX"), "MX") == [f"10 mail.{DOMAIN}."] and
          data(s.ask(f"mail.{DOMAIN}", "TXT"), "TXT") == ['"v=spf1 -all"'])
    check("any type as text", data(s.ask("over.example", "TXT"), "TXT") == ['"replaced"'])
    check("a wildcard", data(s.ask(f"a.b.apps.{DOMAIN}")) == ["10.7.0.42"])
    with Wire(net) as wire:
        m = s.ask(f"outside.{DOMAIN}")
        check("an alias to the outside is resolved there", data(m) == ["50.9.0.2"] and owners(m)[0][0] == f"outside.{DOMAIN}.", m)
        check("a name of the internet with a record is ours altogether", data(s.ask("half.com", "AAAA"), "AAAA") == ["fd07::42"] and
              rcode(s.ask("half.com")) == "NOERROR" and data(s.ask("half.com")) == [], s.ask("half.com"))

    # ---- special names ----
    with Wire(net) as wire:
        wrong = [n for n in ABSENT if rcode(s.ask(n)) not in ("NXDOMAIN", "NOERROR") or data(s.ask(n))]
        check("special names are answered here", not wrong, wrong)
        names = [r + ".in-addr.arpa" for r in REVERSE] + REVERSE6
        wrong = [n for n in names if rcode(s.ask(n, "PTR")) not in ("NXDOMAIN", "NOERROR")]
        check("private reverse zones too", not wrong, wrong)
        m = s.ask(rev("10.7.0.200"), "PTR")
        check("with an SOA", rcode(m) == "NXDOMAIN" and soa(m), m)
        for t in ("A", "AAAA", "MX", "TXT", "HTTPS", "SRV"):
            s.ask(f"nobody.{DOMAIN}", t)
        check("and nothing of them goes upstream", not wire.settle(), wire.questions)
        check("something else does", data(s.ask("other.com")) == ["50.9.0.4"] and wire.settle())

    # ---- edited while it runs ----
    before = d.count("DAEMON_REFRESHED")
    with open(hosts, "a") as f:
        f.write("10.7.0.33 added\n")
    check("a line added in place", until(3, lambda: data(s.ask("added")) == ["10.7.0.33"]))
    write(hosts + ".new", "10.7.0.34 renamed\n")
    os.rename(hosts + ".new", hosts)
    check("a file renamed over it, as editors do", until(3, lambda: data(s.ask("renamed")) == ["10.7.0.34"]))
    check("what is gone from it is gone", until(3, lambda: rcode(s.ask(f"nas.{DOMAIN}")) == "NXDOMAIN"))
    check("an override that went gives way to the truth", until(3, lambda: data(s.ask("www.com")) == ["50.9.0.1"]), s.ask("www.com"))
    write(hosts, "10.7.0.35 again\n")
    check("and an edit of the new file", until(3, lambda: data(s.ask("again")) == ["10.7.0.35"]))
    os.unlink(hosts)
    check("a file that is deleted: its names go", until(3, lambda: rcode(s.ask("again")) == "NXDOMAIN"))
    write(hosts, "10.7.0.36 back\n")
    check("and comes back", until(3, lambda: data(s.ask("back")) == ["10.7.0.36"]))
    check("each is told", d.count("DAEMON_REFRESHED") > before + 3)

    # ---- who wins ----
    thief = Client(c1, 1)
    a = thief.lease("back").yiaddr
    check("a client cannot take a name of the hosts file", data(s.ask(f"back.{DOMAIN}")) == ["10.7.0.36"])
    held = lambda x: (d.leases().get(x) or {}).get("hostname") or ""
    check("it gets one with digits behind it", held(a).startswith("back-") and len(held(a)) == 9, held(a))
    check("which resolves", data(s.ask(held(a))) == [a] and data(s.ask(rev(a), "PTR"), "PTR") == [f"{held(a)}.{DOMAIN}."])
    first, second = Client(c1, 2), Client(c2, 3)
    a1, a2 = first.lease("laptop").yiaddr, second.lease("LapTop").yiaddr
    check("the first holder keeps a name", data(s.ask("laptop")) == [a1])
    check("the second gets another", held(a2).startswith("laptop-") and data(s.ask(held(a2))) == [a2], held(a2))
    check("the same one each time", second.lease("laptop") and held(a2) == held(a2))
    for i, name in enumerate(("wpad", "localhost", "isatap", "com", "gateway")):
        k = Client(c1, 10 + i)
        r = k.lease(name)
        check(f"a client called {name} gets a lease", r is not None and r.yiaddr in d.leases())
        check("and no such name", rcode(s.ask(f"{name}.{DOMAIN}")) == "NXDOMAIN" and not (held(r.yiaddr) == name), held(r.yiaddr))
    r = Client(c1, 20).lease("Jane's phone_2")
    check("an unfit name is made fit", held(r.yiaddr) == "janes-phone-2" and data(s.ask("janes-phone-2")) == [r.yiaddr], held(r.yiaddr))
    r = Client(c1, 21).lease("a\0b")
    check("a name that cannot be is no reason to refuse", r is not None and r.yiaddr in d.leases())
    newcomer = Client(c2, 22).lease("newcomer").yiaddr
    check("a lease has a name", data(s.ask("newcomer")) == [newcomer])
    with open(hosts, "a") as f:
        f.write("10.7.0.37 newcomer\n")
    check("the hosts file may take it over", until(3, lambda: data(s.ask("newcomer")) == ["10.7.0.37"]), data(s.ask("newcomer")))
    write(hosts, "10.7.0.36 back\n")
    check("and give it back", until(3, lambda: data(s.ask("newcomer")) == [newcomer]), data(s.ask("newcomer")))
    code, out = d.ctl("why", "back")
    check("`lanthorn why` says where a name comes from", code == 0 and "hosts" in out, out)
    code, out = d.ctl("why", "newcomer")
    check("also of a lease", code == 0 and "lease" in out and newcomer in out, out)
    check("a clean stop exits 0", d.stop() == 0)
done()
