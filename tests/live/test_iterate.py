#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=90
"""Names are resolved from the root down: root, top-level domains and zones are served by real NSD
processes behind a second interface, some delegations are broken, and the wire to them is read."""
import dns.message

from internet import NET6, Authority, Internet, Wire, reply_to, zone
from lan import SERVER6, Lan, check, done, need
from stub import Stub, data, ede, flags, owners, query, rcode, soa

need("nsd", "nft")

ROOT = zone(".", """
    @ NS a.root-servers.net.
    @ NS b.root-servers.net.
    a.root-servers.net. A 50.0.0.1
    b.root-servers.net. A 50.0.0.2
    com. NS a.gtld.net.
    com. NS b.gtld.net.
    net. NS a.gtld.net.
    net. NS b.gtld.net.
    a.gtld.net. A 50.0.1.1
    b.gtld.net. A 50.0.1.2
    """)
COM = zone("com.", """
    @ NS a.gtld.net.
    @ NS b.gtld.net.
    alpha NS ns1.alpha
    alpha NS ns2.alpha
    ns1.alpha A 50.0.2.1
    ns2.alpha A 50.0.2.2
    glueless NS ns1.beta.net.
    chain NS ns1.chain
    ns1.chain A 50.0.2.1
    old NS ns1.alpha
    lame NS ns.lame
    lame NS ns1.alpha
    ns.lame A 50.0.0.2
    dead NS ns.dead
    dead NS ns1.alpha
    ns.dead A 50.0.9.9
    six NS ns.six
    ns.six AAAA 2a01:7::6
    noedns NS ns.noedns
    ns.noedns A 50.0.4.1
    long NS ns.long
    ns.long A 50.0.4.3
    lower NS ns.lower
    ns.lower A 50.0.4.2
    rebind NS ns1.alpha
    loop1 NS ns.loop2
    loop2 NS ns.loop1
    deep NS ns1.alpha
    """)
NET = zone("net.", """
    @ NS a.gtld.net.
    @ NS b.gtld.net.
    a.gtld A 50.0.1.1
    b.gtld A 50.0.1.2
    beta NS ns1.beta
    ns1.beta A 50.0.3.1
    """)
ALPHA = zone("alpha.com.", """
    @ NS ns1
    @ NS ns2
    ns1 A 50.0.2.1
    ns2 A 50.0.2.2
    @ A 50.9.0.1
    @ MX 10 mail
    @ MX 20 mail.beta.net.
    www A 50.9.0.2
    www AAAA 2a01:9::2
    mail A 50.9.0.3
    text TXT "one" "two"
    far CNAME www.beta.net.
    *.wild A 50.9.0.4
    there.wild A 50.9.0.5
    a.b.c.d A 50.9.0.6
    big TXT """ + " ".join(f'"{c * 250}"' for c in "abcdefghij"))
CHAIN = zone("chain.com.", """
    @ NS ns1
    ns1 A 50.0.2.1
    one CNAME two.alpha-side.beta.net.
    loop1 CNAME loop2
    loop2 CNAME loop1
    """ + "\n".join(f"l{i} CNAME l{i + 1}" for i in range(50)))
OLD = zone("old.com.", "@ NS ns1.alpha.com.\n@ DNAME alpha.com.")
BETA = zone("beta.net.", """
    @ NS ns1
    ns1 A 50.0.3.1
    www A 50.9.1.1
    two.alpha-side CNAME www.alpha.com.
    """)


def small(origin, address):
    return zone(origin, f"@ NS ns1.alpha.com.\nwww A {address}")


with Lan(clients=1) as lan:
    net = Internet(lan)
    lan.static()
    net.nsd("root", ["50.0.0.1", "50.0.0.2"], {".": ROOT})
    net.nsd("tld", ["50.0.1.1", "50.0.1.2"], {"com.": COM, "net.": NET})
    net.nsd("alpha", ["50.0.2.1", "50.0.2.2"], {
        "alpha.com.": ALPHA, "chain.com.": CHAIN, "old.com.": OLD, "lame.com.": small("lame.com.", "50.9.2.1"),
        "dead.com.": small("dead.com.", "50.9.2.2"), "rebind.com.": small("rebind.com.", "192.168.7.7"),
        "deep.com.": zone("deep.com.", "@ NS ns1.alpha.com.\nx.y.z.w.v.u A 50.9.2.3")})
    net.nsd("beta", ["50.0.3.1"], {"beta.net.": BETA, "glueless.com.": small("glueless.com.", "50.9.2.4")})
    net.nsd("six", [NET6 + "6"], {"six.com.": zone("six.com.", "@ NS ns\nns AAAA 2a01:7::6\nwww AAAA 2a01:9::6\nwww A 50.9.2.6")})
    net.silence("50.0.9.9")

    def without_edns(q, asked):
        if q.edns >= 0:
            r = reply_to(dns.message.make_query(q.question[0].name, q.question[0].rdtype), rcode=1, aa=False)
            r.id = q.id
            return r
        return reply_to(q, f"{asked.name} 300 A 50.9.3.1")

    def in_lower_case(q, asked):
        q.question[0].name = type(q.question[0].name)(label.lower() for label in q.question[0].name.labels)
        return reply_to(q, f"{asked.name.lower()} 300 A 50.9.3.2")

    def long_chain(q, asked):
        """By TCP 50 aliases in one answer, and that the last of them leads nowhere."""
        if not asked.is_tcp:
            return reply_to(q, tc=True)
        start = 0 if asked.name.lower() == "long.com." else int(asked.name[1:].split(".")[0])
        return reply_to(q, *[f"l{i}.long.com. 300 CNAME l{i + 1}.long.com." for i in range(start, 50)], rcode=3,
                        authority=["long.com. 60 SOA ns.long.com. h.long.com. 1 2 3 4 60"])

    Authority(net, "50.0.4.1", without_edns)
    Authority(net, "50.0.4.3", long_chain)
    lower = Authority(net, "50.0.4.2", in_lower_case)
    net.ready()
    lan.config(dns=f"root-hints: {net.hints('50.0.0.1', '50.0.0.2')}")
    d = lan.daemon()
    s = Stub(lan.clients[0])
    with Wire(net) as wire:
        m = s.ask("www.alpha.com")
        check("an address", data(m) == ["50.9.0.2"], m)
        check("recursion available, not authoritative, not called authentic",
              "RA" in flags(m) and "AA" not in flags(m) and "AD" not in flags(m), flags(m))
        seen = wire.settle()
        check("from the root down: three zones, few packets", 3 <= len(seen) <= 8, seen)
        check("the root is told the top-level domain only",
              wire.to("50.0.0.1", "50.0.0.2") and all(q.name.count(".") == 1 for q in wire.to("50.0.0.1", "50.0.0.2")), seen)
        check("its servers are told the second level only",
              wire.to("50.0.1.1", "50.0.1.2") and all(q.name.count(".") <= 2 for q in wire.to("50.0.1.1", "50.0.1.2")), seen)

        check("an IPv6 address", data(s.ask("www.alpha.com", "AAAA"), "AAAA") == ["2a01:9::2"])
        check("mail exchangers", data(s.ask("alpha.com", "MX"), "MX") == ["10 mail.alpha.com.", "20 mail.beta.net."])
        check("text", data(s.ask("text.alpha.com", "TXT"), "TXT") == ['"one" "two"'])
        check("over IPv6 from the client as well", data(Stub(lan.srv, SERVER6).ask("mail.alpha.com")) == ["50.9.0.3"])
        m = s.ask("far.alpha.com")
        check("an alias into another zone", data(m) == ["50.9.1.1"] and data(m, "CNAME") == ["www.beta.net."], m)
        m = s.ask("one.chain.com")
        check("a chain over three zones, in order", [o for o, _ in owners(m)] ==
              ["one.chain.com.", "two.alpha-side.beta.net.", "www.alpha.com."] and data(m) == ["50.9.0.2"], m)
        m = s.ask("www.old.com")
        check("DNAME: synthesised alias and its target", data(m) == ["50.9.0.2"] and data(m, "DNAME") == ["alpha.com."]
              and data(m, "CNAME") == ["www.alpha.com."], m)
        m = s.ask("nothing.alpha.com")
        check("an unknown name is NXDOMAIN with the zone's SOA", (rcode(m), soa(m)) == ("NXDOMAIN", "alpha.com."), m)
        m = s.ask("mail.alpha.com", "AAAA")
        check("a missing type is NODATA with the zone's SOA", (rcode(m), soa(m), m and m.answer) == ("NOERROR", "alpha.com.", []), m)
        m = s.ask("c.d.alpha.com")
        check("an empty non-terminal is NODATA", (rcode(m), soa(m)) == ("NOERROR", "alpha.com."), m)
        check("a name below it", data(s.ask("a.b.c.d.alpha.com")) == ["50.9.0.6"])
        check("a wildcard", data(s.ask("any.wild.alpha.com")) == ["50.9.0.4"])
        check("a name beside the wildcard", data(s.ask("there.wild.alpha.com")) == ["50.9.0.5"])
        check("many labels below one cut", data(s.ask("x.y.z.w.v.u.deep.com")) == ["50.9.2.3"])
        m = s.ask("nothing.com")
        check("an unknown domain", (rcode(m), soa(m)) == ("NXDOMAIN", "com."), m)
        m = s.ask("www.nosuchtld")
        check("an unknown top-level domain", (rcode(m), soa(m)) == ("NXDOMAIN", "."), m)

        check("servers without glue are looked up", data(s.ask("www.glueless.com")) == ["50.9.2.4"])
        check("a lame server beside a good one", data(s.ask("www.lame.com")) == ["50.9.2.1"])
        check("a server over IPv6 only", data(s.ask("www.six.com")) == ["50.9.2.6"])
        check("a server that does not know EDNS", data(s.ask("www.noedns.com")) == ["50.9.3.1"])
        check("servers that change the letter case are believed by TCP or not at all",
              data(s.ask("www.lower.com")) == ["50.9.3.2"] and any(a.is_tcp for a in lower.asked), lower.asked)
        check("a dead server beside a good one: some client is answered at the first try",
              data(s.ask("www.dead.com", timeout=6)) == ["50.9.2.2"])
        m = s.ask("www.rebind.com")
        check("a public name does not lead into the LAN", data(m) == [], m)

        m = s.ask("WwW.AlPhA.cOm")
        check("the client's letter case comes back", m and m.question[0].name.to_text() == "WwW.AlPhA.cOm.", m)
        mixed = [q for q in wire.about("com") if q.name != q.name.lower()]
        check("upstream the case is random", len(mixed) > len(wire.about("com")) / 2, wire.questions)

        m = s.ask("big.alpha.com", "TXT")
        check("an answer over 1232 bytes comes truncated by UDP", "TC" in flags(m) and not m.answer, m)
        big = s.ask("big.alpha.com", "TXT", tcp=True)
        check("and whole by TCP", sum(len(t) for t in data(big, "TXT")) > 2500, big)
        check("it was fetched by TCP", any(q.is_tcp for q in wire.about("big.alpha.com")), wire.about("big.alpha.com"))
        m = s.ask("alpha.com", "MX", edns=None)
        check("without EDNS a small answer fits", len(data(m, "MX")) == 2 and m.edns == -1)

        before = len(wire.settle())
        m = s.ask("loop1.chain.com")
        check("a circle of aliases ends in SERVFAIL", rcode(m) == "SERVFAIL", m)
        m = s.ask("l0.chain.com")
        check("a chain of 50 aliases too", rcode(m) == "SERVFAIL", m)
        m = s.ask("l0.long.com")
        check("also when one answer brings it whole", rcode(m) == "SERVFAIL", m)
        m = s.ask("l45.long.com")
        check("the end of a chain that is short enough is believed", (rcode(m), soa(m)) == ("NXDOMAIN", "long.com."), m)
        check("with few packets", len(wire.settle()) - before <= 30, len(wire.questions) - before)
        before = len(wire.settle())
        m = s.ask("www.loop1.com", timeout=8)
        check("delegations that wait for each other end in SERVFAIL", rcode(m) == "SERVFAIL", m)
        check("and cost few packets", len(wire.settle()) - before <= 20, wire.questions[before:])
        before = len(wire.settle())
        again = [rcode(s.ask("www.loop1.com")) for _ in range(20)]
        check("the failure is remembered", again == ["SERVFAIL"] * 20 and len(wire.settle()) == before, wire.questions[before:])

        m = s.ask("www.alpha.com")
        before = len(wire.settle())
        m = s.ask("www.alpha.com")
        check("what is known is not asked again", data(m) == ["50.9.0.2"] and len(wire.settle()) == before)
        before = len(wire.questions)
        m = s.ask("fresh.sub.nothing.alpha.com")
        check("a name below one that does not exist", rcode(m) == "NXDOMAIN" and len(wire.settle()) - before <= 3, wire.questions[before:])
        check("no question costs more than 100 packets", d.metric("dns_limit_sends_total") == 0)
    check("a clean stop exits 0", d.stop() == 0)
done()
