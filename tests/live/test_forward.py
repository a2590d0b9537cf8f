#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=90
"""Forward and stub zones, to real servers: unbound, dnsmasq and named as upstreams, the first one dead, answers
that need TCP, everything through one forwarder, and who wins over names that are special."""
import os

from internet import Authority, Internet, Wire, reply_to, zone
from lan import Lan, check, done, need, until
from stub import Stub, data, flags, rcode, soa

need("unbound", "dnsmasq", "named", "nsd", "nft")

BIG = " ".join(f'"{c * 250}"' for c in "abcdefgh")


def unbound(net, address, *lines):
    path = f"{net.lan.dir}/unbound-{address}.conf"
    net.own(address)
    with open(path, "w") as f:
        f.write(f"server:\n interface: {address}\n access-control: 0.0.0.0/0 allow\n username: \"\"\n chroot: \"\"\n pidfile: \"\"\n"
                " use-syslog: no\n do-daemonize: no\n module-config: iterator\n" + "".join(f" {l}\n" for l in lines))
    return net.ns.popen(net.lan.unconfined("unbound"), "-d", "-p", "-c", path, log=path + ".log")


def named(net, address, origin, text):
    folder = f"{net.lan.dir}/named"
    net.own(address)
    os.mkdir(folder)
    with open(f"{folder}/zone", "w") as f:
        f.write(zone(origin + ".", text))
    with open(f"{folder}/conf", "w") as f:
        f.write(f'options {{ directory "{folder}"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; pid-file none; recursion no; '
                f'session-keyfile none; dnssec-validation no; }}; controls {{ }};\nzone "{origin}" {{ type primary; file "zone"; }};\n')
    return net.ns.popen(net.lan.unconfined("named"), "-f", "-c", f"{folder}/conf", log=f"{folder}/log")


with Lan(clients=1) as lan:
    net = Internet(lan)
    lan.static()
    net.own("50.0.6.1", "50.0.6.9")   # nobody listens on the second
    unbound(net, "50.0.5.1", 'local-zone: "corp.example." static', 'local-data: "corp.example. SOA ns.corp.example. h. 1 2 3 4 60"',
            'local-data: "www.corp.example. 300 A 10.20.0.1"', 'local-data: "alias.corp.example. 300 CNAME www.corp.example."',
            f"local-data: 'big.corp.example. 300 TXT {BIG}'")
    net.ns.popen("dnsmasq", "-k", "-p", "53", "--listen-address=50.0.6.1", "--bind-interfaces", "--no-resolv", "--no-hosts",
                 "--user=root", "--pid-file=", "--address=/lab.example/10.20.0.2", "--txt-record=text.lab.example,hello",
                 log=f"{lan.dir}/dnsmasq.log")
    bind = named(net, "50.0.7.1", "stub.example", "@ NS ns\nns A 50.0.7.1\nwww A 10.20.0.3\nsub NS ns.sub\nns.sub A 50.0.7.2\n")
    net.nsd("sub", ["50.0.7.2"], {"sub.stub.example.": zone("sub.stub.example.", "@ NS ns\nns A 50.0.7.2\nwww A 10.20.0.4")})
    net.nsd("root", ["50.0.0.1"], {".": zone(".", "@ NS a.root-servers.net.\na.root-servers.net. A 50.0.0.1\ncom. NS ns.com.\nns.com. A 50.0.0.1"),
                                   "com.": zone("com.", "@ NS ns\nns A 50.0.0.1\nwww A 50.9.0.1\nintern CNAME www.corp.example.")})
    net.silence("50.0.9.9")
    both = Authority(net, "50.0.8.1", lambda q, a: reply_to(q, f"{a.name} 300 A 10.20.0.5", aa=False))
    net.ready()
    config = lan.config(dns=f"root-hints: {net.hints('50.0.0.1')}", extra="""forward:
  corp.example: { to: [ 50.0.9.9, 50.0.5.1 ] }
  lab.example: { to: 50.0.6.1 }
  onion: { to: 50.0.8.1 }
  20.10.in-addr.arpa: { to: 50.0.8.1 }
  gone.example: { to: [ 50.0.6.9 ] }
stub:
  stub.example: { to: 50.0.7.1 }
""")
    d = lan.daemon()
    s = Stub(lan.clients[0])
    for name, what in (("www.corp.example", "unbound"), ("x.lab.example", "dnsmasq"), ("www.stub.example", "named")):
        until(5, lambda: net.exchange(2, {"unbound": "50.0.5.1", "dnsmasq": "50.0.6.1", "named": "50.0.7.1"}[what], b"\0\1\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1"))
    with Wire(net) as wire:
        first = data(s.ask("www.corp.example", timeout=6))
        check("a forward zone whose first server is dead", first == ["10.20.0.1"], first)
        check("private addresses are fine in what a forwarder says", first == ["10.20.0.1"])
        check("its alias", data(s.ask("alias.corp.example")) == ["10.20.0.1"])
        m = s.ask("nothing.corp.example")
        check("its NXDOMAIN", rcode(m) == "NXDOMAIN", m)
        m = s.ask("big.corp.example", "TXT", tcp=True)
        check("an answer that needs TCP", len(data(m, "TXT") or [""]) == 1 and len(m.to_wire()) > 2000, m)
        check("the dead one is asked less as time goes by", len([q for q in wire.questions if q.to == "50.0.9.9"]) <= 4, wire.questions)
        check("a forward zone to dnsmasq", data(s.ask("any.lab.example")) == ["10.20.0.2"])
        check("its text", data(s.ask("text.lab.example", "TXT"), "TXT") == ['"hello"'])
        check("a stub zone at named", data(s.ask("www.stub.example")) == ["10.20.0.3"])
        check("a delegation below the stub zone is followed", data(s.ask("www.sub.stub.example")) == ["10.20.0.4"])
        check("a special-use name that a forward zone takes over", data(s.ask("x.onion")) == ["10.20.0.5"])
        check("private reverse names too", rcode(s.ask("1.0.20.10.in-addr.arpa", "PTR")) == "NOERROR" and
              any(a.name.lower() == "1.0.20.10.in-addr.arpa." for a in both.asked), both.asked)
        check("one that none takes over stays here", rcode(s.ask("1.0.30.10.in-addr.arpa", "PTR")) == "NXDOMAIN")
        check("the rest is resolved from the root", data(s.ask("www.com")) == ["50.9.0.1"])
        check("an alias from there into a forward zone", data(s.ask("intern.com")) == ["10.20.0.1"], s.ask("intern.com"))
        check("nothing of the forward zones went to the root", not [q for q in wire.to("50.0.0.1") if "example" in q.name.lower()], wire.to("50.0.0.1"))
        check("no server is left: SERVFAIL", until(20, lambda: rcode(s.ask("x.gone.example", timeout=0.5)) == "SERVFAIL"))
        m = s.ask("www.lan.test")
        check("our own zone stays ours", (rcode(m), soa(m)) == ("NXDOMAIN", "lan.test."), m)

    # ---- everything through one forwarder ----
    unbound(net, "50.0.5.3", "root-hints: " + net.hints("50.0.0.1"), "do-not-query-localhost: no")
    until(5, lambda: net.exchange(2, "50.0.5.3", b"\0\1\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1", timeout=1))
    with open(config) as f:
        text = f.read()
    with open(config, "w") as f:
        f.write(text.replace("forward:\n", "forward:\n  \".\": { to: [ 50.0.5.3 ] }\n"))
    code, out = d.ctl("reload")
    check("a reload makes us a forwarder for everything", code == 0, out)
    d.ctl("cache", "flush")
    with Wire(net) as wire:
        m = s.ask("www.com")
        check("which answers", data(m) == ["50.9.0.1"] and "RA" in flags(m), m)
        # What unbound asks stays inside inet; the daemon speaks to it alone.
        check("through that one server", {q.to for q in wire.settle()} == {"50.0.5.3"}, wire.questions)
        check("a closer forward zone stays with its own", data(s.ask("www.corp.example")) == ["10.20.0.1"])
        check("special names stay here", rcode(s.ask("www.test")) == "NXDOMAIN" and not wire.about("test"), wire.questions)
    check("a clean stop exits 0", d.stop() == 0)
done()
