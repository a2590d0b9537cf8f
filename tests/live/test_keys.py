#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
"""Every key of the option table, changed by a reload: it takes effect, or reload says that it needs a
restart, or that it is not built yet. The table is walked through the JSON Schema that is made from it, so a new key
without a line here fails."""
import json
import os
import socket

from dhcpload import DISCOVER, OFFER, Relay, Reply
from lan import BIN, DOMAIN, SERVER, Lan, check, dig, dig_full, done, need, run, until

need("dig")

# key -> (YAML value to try, how its effect is seen or None when only the report can tell).
# A probe is called with the lan before and after and must give another answer.
schema = json.loads(run(f"{BIN}/lanthornd", "--dump-schema").stdout)


def walk(node, path, out):
    """Leaf keys as dotted paths; a map of names shows as *."""
    if "$ref" in node:
        node = schema["definitions"][node["$ref"].rsplit("/", 1)[1]]
    for alt in node.get("anyOf", []):
        if "$ref" in alt:
            return walk(alt, path, out)
    props = node.get("properties")
    extra = node.get("additionalProperties")
    if props:
        for k, v in props.items():
            walk(v, path + [k], out)
    elif isinstance(extra, dict):
        walk(extra, path + ["*"], out)
    else:
        out.append(".".join(path))


keys = []
walk(schema, [], keys)

with Lan(clients=2) as lan:
    c1, c2 = lan.clients
    c1.run("ip", "addr", "add", "10.7.0.2/24", "dev", "eth0")
    c2.run("ip", "addr", "add", "10.7.0.3/24", "dev", "eth0")
    c1.enter()   # the relay agent of this test is there
    root = f"{lan.dir}/tftp"
    os.makedirs(root + "/sub")
    open(f"{root}/a", "w").write("a")
    open(f"{root}/sub/b", "w").write("b")
    open(f"{lan.dir}/hosts", "w").write("10.7.0.77 fromhosts\n")
    open(f"{lan.dir}/devices", "w").write("02:00:00:00:00:07 10.7.0.57 fromdevices\n")
    open(f"{lan.dir}/more.yaml", "w").write("record:\n  included.lan.test: { a: 10.7.0.99 }\n")

    def offer(n=7, options=()):
        """What client n is offered: (address, options)."""
        r = Relay("10.7.0.2", SERVER)
        r.send(DISCOVER, n, list(options) + [(55, bytes([1, 3, 6, 15, 42, 51, 58]))])
        r.sock.settimeout(3)
        try:
            o = Reply(r.sock.recv(2048))
            return o.yiaddr, o.file, sorted(o.options.items())
        except TimeoutError:
            return None
        finally:
            r.close()

    name = lambda n, t="A": lambda: dig_full(c2, n, t)[::2]
    allowed = lambda: dig_full(c2, f"srv.{DOMAIN}")[0]
    listens = lambda: dig_full(lan.srv, f"srv.{DOMAIN}", "A", "127.0.0.1", "-p", "5301")[0]
    fetch = lambda f: lambda: c2.run("busybox", "tftp", "-g", "-l", f"{lan.dir}/x", "-r", f, SERVER, check=False).returncode
    boots = lambda: offer(9, [(93, b"\0\0"), (60, b"PXEClient")])
    logs = lambda: d.count(" debug ")
    mac = '"02:00:00:00:00:07"'
    device = {"mac": mac, "address": "10.7.0.60"}

    L, D, C = "lan.br0.", "lan.br0.device.box.", "class.k."
    TRY = {
        "state-dir": ("/var/tmp/elsewhere", None), "domain": ("other.test", lambda: dig_full(c2, "nobody.other.test")[3]), "user": ("nobody", None),
        "sandbox": ("no", None), "log.level": ("debug", None), "log.to": (f"{lan.dir}/log", None),
        "include": (f"[{lan.dir}/more.yaml]", name("included.lan.test")), "hosts": (f"[{lan.dir}/hosts]", name("fromhosts")),
        "devices": (f"[{lan.dir}/devices]", offer), "dns.listen": ('["0.0.0.0:53", "127.0.0.1:5301"]', listens),
        "dns.workers": ("1", None), "dns.cache-size": ("64M", None), "dns.allow": ("[127.0.0.0/8]", allowed),
        "dns.root-hints": (f"{lan.dir}/hints", None), "dns.trust-anchors": (f"[{lan.dir}/anchors]", None), "dns.validate": ("yes", None),
        "dns.qname-minimisation": ("no", None), "dns.case-randomisation": ("no", None), "dns.prefetch": ("no", None),
        "dns.serve-stale": ("2h", None), "dns.rebind-protection": ("no", None), "dns.rebind-allow": ("[x.test]", None),
        "dns.min-ttl": ("5s", None), "dns.max-ttl": ("2h", None), "dns.max-negative-ttl": ("30m", None), "dns.ipv4": ("no", None),
        "dns.ipv6": ("no", None), "dns.negative-trust-anchors": ("[x.test]", None), "dns.ratelimit": ("100", None),
        "dns.outgoing": ("[10.7.0.1]", None), "dns.edns-size": ("1400", lambda: c2.out("dig", "@" + SERVER, f"srv.{DOMAIN}").split("udp: ")[1][:4]),
        "dns.cookies": ("no", None), "dns.minimal-responses": ("no", None), "dns.log-queries": ("yes", lambda: (dig(c2, "x1"), d.count("RESOLVER_QUERY") > 0)[1]),
        "dns.prime": ("yes", None), "dns.anchor-updates": ("no", None), "dns.special-zones": ("no", lambda: dig_full(c2, "x.invalid", "A", SERVER, "+norecurse")[0]),
        "dns.harden-glue": ("no", None), "dns.query-localhost": ("yes", None), "dns.signature-skew": ("2h", None), "dns.cache-clock": ("wall", None),
        "forward.*.to": ("[10.7.0.53]", lambda: dig_full(c2, "1.0.0.10.in-addr.arpa", "PTR", SERVER, "+norecurse")[0]), "forward.*.validate": ("yes", None),
        "stub.*.to": ("[10.7.0.53]", None), "record.*.a": ("10.7.0.9", name("rec.lan.test")), "record.*.aaaa": ('"fd07::9"', name("rec.lan.test", "AAAA")),
        "record.*.cname": ("srv.lan.test", name("rec.lan.test")), "record.*.mx": ('["10 srv.lan.test."]', name("rec.lan.test", "MX")),
        "record.*.txt": ("hello", name("rec.lan.test", "TXT")), "record.*.srv": ('["0 0 80 srv.lan.test."]', name("rec.lan.test", "SRV")),
        "record.*.caa": ("['0 issue \"x.test\"']", name("rec.lan.test", "CAA")), "record.*.ptr": ("target.lan.test", None), "record.*.ttl": ("7", None),
        "record.*.rr": ('["TXT hi"]', name("rec.lan.test", "TXT")),
        L + "interface": ("br0", None), L + "relay": ("[10.7.0.9]", None), L + "subnet": ("10.7.0.0/25", None), L + "pool": ("[10.7.0.20-10.7.0.30]", offer),
        L + "router": ("10.7.0.254", offer), L + "domain": ("br0.test", offer), L + "dns": ("[10.7.0.254]", offer), L + "lease": ("2h", offer),
        L + "min-lease": ("30m", None), L + "max-lease": ("9h", None), L + "probe": ("yes", None), L + "rapid-commit": ("no", None), L + "authoritative": ("no", None),
        L + "prefix": ('"fd07::/64"', None), L + "pool6": ('["fd07::1:0-fd07::1:ff"]', None), L + "pd": ('["fd08::/48 to 56"]', None), L + "ra": ("yes", None), L + "managed": ("yes", None),
        "network.*.lans": ("[br0]", None), "boot.root": (root + "/sub", fetch("b")), "boot.http": ("no", None), "boot.clients": ("[10.9.0.0/24]", fetch("a")),
        "block.lists": (f"[{lan.dir}/hosts]", None), "block.allow": ("[x.test]", None), "block.answer": ("refused", None), "http.listen": ('"127.0.0.1:8053"', None),
    }
    DEVICE = {"mac": ('"02:00:00:00:00:07"', None), "client-id": ('"01:02:03:04"', None), "duid": ('"00:01:00:01:02:03"', None), "address": ("10.7.0.60", None),
              "address6": ('"fd07::60"', None), "tags": ("[a]", None), "lease": ("3h", None)}
    BOOT = {"bios": ("a", boots), "uefi": ("a", None), "uefi-ia32": ("a", None), "uefi-arm64": ("a", None), "http": ("a", None), "http6": ("a", None),
            "ipxe": ("a", None), "server": ("10.7.0.9", None), "proxy": ("yes", None)}
    CLASS = {"vendor": ("[x]", None), "user-class": ("[x]", None), "arch": ("[bios]", None), "circuit-id": ('["00:01"]', None), "remote-id": ('["00:01"]', None),
             "mac": ('["02:00"]', None), "tag": ("[a]", None), "local-mac": ("yes", None), "pool": ("[10.7.0.150-10.7.0.160]", None), "lease": ("3h", None), "ignore": ("yes", None)}

    def value_of(key):
        """(path with names, value, probe) for a key of the schema."""
        p = key.replace("lan.*.", L, 1) if key.startswith("lan.*.") else key
        if p in TRY:
            v = TRY[p]
            return p.replace("record.*", f"record.rec.{DOMAIN}").replace("forward.*", "forward.10.in-addr.arpa").replace("stub.*", "stub.st.test").replace("network.*", "network.n"), *v
        for where, table in ((".device.*.", DEVICE), ("device.*.", DEVICE), (".class.*.", CLASS), ("class.*.", CLASS)):
            if where in p:
                head, last = p.split(where, 1)
                kind = "device" if "device" in where else "class"
                base = f"{head}.{kind}.box." if where.startswith(".") else f"{kind}.box."
                if last in table:
                    return base + last, *table[last]
                if last.startswith("boot.") and last[5:] in BOOT:
                    return base + last, BOOT[last[5:]][0], None
                if last.startswith("option"):
                    return base + "option.42", "10.7.0.9", None
        if ".boot." in p and p.rsplit(".", 1)[1] in BOOT:
            return p, *BOOT[p.rsplit(".", 1)[1]]
        if p.startswith(L + "option"):
            return L + "option.42", "10.7.0.9", offer
        return None

    # The one has no other value that is valid here; what the other brings in is reported instead.
    NO_CHANGE = ("lan.br0.interface", "include")

    def nested_parts(path):
        """Names with dots in them are known."""
        for dotted in (f"rec.{DOMAIN}", "9.0.7.10.in-addr.arpa", "10.in-addr.arpa", "st.test"):
            path = path.replace(dotted, dotted.replace(".", "\0"))
        return [x.replace("\0", ".") for x in path.split(".")]

    def nested(path, value):
        """{'lan': {'br0': {...}}} from a dotted path."""
        out = {}
        at = out
        parts = nested_parts(path)
        for x in parts[:-1]:
            at[x] = at = {} if x not in at else at[x]
        at[parts[-1]] = value
        return out

    BASE = {"state-dir": f"{lan.dir}/state", "user": "none", "domain": DOMAIN,
            "dns": {"validate": "no", "prime": "no", "workers": "2", "cache-size": "32M"},
            "record": {f"srv.{DOMAIN}": {"a": SERVER}},
            "lan": {"br0": {"subnet": "10.7.0.0/24", "pool": "[10.7.0.100-10.7.0.199]", "router": SERVER, "lease": "1h", "probe": "no"}},
            "boot": {"root": root}}

    def fill(tree, path):
        """What a key needs beside itself to make sense."""
        if ".device." in path or path.startswith("device."):
            node = tree["lan"]["br0"]["device"]["box"] if path.startswith("lan") else tree["device"]["box"]
            if not any(k in node for k in ("mac", "client-id", "duid")):
                node["mac"] = mac
        if "record.rec" in path and path.endswith(("ttl", "ptr")):
            tree["record"][f"rec.{DOMAIN}"]["a"] = "10.7.0.9"
        if path.startswith("forward") and path.endswith("validate"):
            tree["forward"]["10.in-addr.arpa"]["to"] = "[10.7.0.53]"
        if path.endswith("subnet"):
            tree["lan"]["br0"]["pool"] = "[10.7.0.100-10.7.0.120]"
        if path.endswith("pd") or path.endswith("pool6") or path.endswith(".ra") or path.endswith("managed"):
            tree["lan"]["br0"]["prefix"] = '"fd07::/64"'
        return tree

    def merge(a, b):
        return {k: merge(a[k], b[k]) if isinstance(a.get(k), dict) and isinstance(b.get(k), dict) else b.get(k, a.get(k)) for k in {**a, **b}}

    def text(tree, n=0):
        out = ""
        for k, v in tree.items():
            k = f'"{k}"' if any(x in k for x in "*:.") or k.isdigit() else k
            out += " " * n + k + ":" + ("\n" + text(v, n + 2) if isinstance(v, dict) else f" {v}\n")
        return out

    path = f"{lan.dir}/lanthorn.yaml"
    open(f"{lan.dir}/hints", "w").write(". 3600000 IN NS a.\na. 3600000 IN A 10.7.0.53\n")
    open(f"{lan.dir}/anchors", "w").write(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n")

    def write(tree):
        open(path, "w").write(text(tree))

    def without(tree, path):
        """The same with the leaf of path taken out."""
        tree = json.loads(json.dumps(tree))
        node, parts = tree, list(nested_parts(path))
        for x in parts[:-1]:
            node = node[x]
        node.pop(parts[-1])
        return tree

    def has(tree, path):
        for x in nested_parts(path):
            if x not in tree:
                return False
            tree = tree[x]
        return True

    write(BASE)
    d = lan.daemon(path)
    d.state_dir()
    missing, wrong, seen = [], [], set()
    for key in keys:
        found = value_of(key)
        if not found:
            missing.append(key)
            continue
        where, value, probe = found
        if where in seen:
            continue   # the many names of one option
        seen.add(where)
        full = fill(merge(BASE, nested(where, value)), where)
        write(BASE if has(BASE, where) or "." not in where else without(full, where))
        d.ctl("reload")   # may be refused: a map entry with nothing in it
        before = probe() if probe else None
        write(full)
        code, out = d.ctl("reload")
        # An entry of a map is reported as a whole when it is new; an option by its name.
        heads = (where, where.rsplit(".", 1)[0]) if where.endswith((".to", ".lans", ".mac", ".client-id", ".42")) else (where,)
        told = any(line.startswith(h + ":") for line in out.split("\n") for h in heads) or f"{where} is not built yet" in out
        if code != 0 or not (told or where in NO_CHANGE):
            wrong.append((where, value, code, out[:300]))
        elif probe and "restart" not in out and "not built" not in out:
            if not until(3, lambda: probe() != before):
                wrong.append((where, value, "no effect", before))
        write(BASE)
        code, out = d.ctl("reload")
        if code != 0:
            wrong.append((where, "back", code, out[:300]))
    check(f"each of the {len(keys)} keys is known to this test", not missing, missing)
    check("each change is reported, and takes effect unless a restart is asked for", not wrong, "\n".join(map(str, wrong)))
    check("after all that the daemon serves", dig(c2, f"srv.{DOMAIN}") == [SERVER])
    check("and ends in order", d.stop() == 0)
done()
