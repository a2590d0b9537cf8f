#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=120
"""Boot files: what lies below the root and nothing else, large ones and many at once, over a lossy wire, and the right
one for each firmware."""
import hashlib
import os
import socket
import struct
import subprocess

from dhcpclient import Client, ip, option
from lan import SERVER, Lan, check, done, need, run, until

need("curl", "busybox", "nft", "atftp")

RRQ, WRQ, DATA, ACK, ERROR, OACK = 1, 2, 3, 4, 5, 6


def sha(path):
    if not os.path.exists(path):
        return None
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while b := f.read(1 << 20):
            h.update(b)
    return h.hexdigest()


def fill(path, size):
    block = os.urandom(1 << 20)
    with open(path, "wb") as f:
        for i in range(0, size, 1 << 20):
            f.write(struct.pack("!Q", i) + block[8:min(1 << 20, size - i)])
        f.truncate(size)
    return sha(path)


with Lan(clients=2) as lan:
    root = f"{lan.dir}/tftp"
    os.makedirs(f"{root}/sub/deep")
    with open(f"{lan.dir}/secret", "w") as f:
        f.write("outside")
    for name in ("small", "sub/file", "sub/deep/file", "With Space"):
        with open(f"{root}/{name}", "w") as f:
            f.write("content of " + name)
    os.symlink(f"{lan.dir}/secret", f"{root}/link-out")
    os.symlink("../secret", f"{root}/link-up")
    os.symlink(lan.dir, f"{root}/dir-out")
    os.symlink("sub/file", f"{root}/link-in")
    os.mkfifo(f"{root}/fifo")
    open(f"{root}/empty", "w").close()
    with open(f"{root}/blocks", "wb") as f:
        f.write(b"x" * 1024)   # ends on a block: an empty one follows
    big = fill(f"{root}/big", 100 << 20)
    mid = fill(f"{root}/mid", 5 << 20)
    one = fill(f"{root}/one", 1 << 20)
    lan.config(extra=f"boot: {{ root: {root} }}\n", lan="""
boot: { bios: pxelinux.0, uefi: shimx64.efi, uefi-ia32: ia32.efi, uefi-arm64: shimaa64.efi, ipxe: menu.ipxe, http: image.efi }
device:
  special: { mac: "02:00:00:00:00:99", address: 10.7.0.50, boot: { bios: special.0 } }
""")
    d = lan.daemon()
    c1, c2 = lan.clients
    for i, c in enumerate(lan.clients):
        c.run("ip", "addr", "add", f"10.7.0.{10 + i}/24", "dev", "eth0")

    # ---- names ----
    def ask(name, opcode=RRQ, mode=b"octet", options=b""):
        """First answer to a request: (opcode, number, bytes)."""
        with c1.socket() as u:
            u.settimeout(2)
            u.sendto(struct.pack("!H", opcode) + name + b"\0" + mode + b"\0" + options, (SERVER, 69))
            try:
                b, peer = u.recvfrom(70000)
            except OSError:
                return None, None, b""
            op, n = struct.unpack("!HH", b[:4])
            if op == DATA:
                u.sendto(struct.pack("!HH", ERROR, 0) + b"enough\0", peer)
            return op, n, b[4:]

    for name in (b"small", b"/small", b"sub/file", b"sub/deep/file", b"./sub/../small", b"link-in", b"With Space", b"sub\\file"):
        op, n, body = ask(name)
        check(f"{name.decode()} is served", op == DATA and n == 1 and body.startswith(b"content of"), (op, n, body[:60]))
    for name in (b"../secret", b"/../secret", b"sub/../../secret", b"..\\secret", b"link-out", b"link-up", b"dir-out/secret", b"%2e%2e/secret",
                 lan.dir.encode() + b"/secret", b"/etc/passwd", b"nothing", b"sub", b"", b".", b"/", b"fifo", b"x" * 300):
        op, n, body = ask(name)
        check(f"{name[:40].decode() or '(nothing)'} is not", op == ERROR and b"outside" not in body or op is None and len(name) > 255, (op, n, body[:60]))
    check("writing is refused", ask(b"new", WRQ)[0] == ERROR and not os.path.exists(f"{root}/new"))
    op, n, body = ask(b"empty")
    check("an empty file is one empty block", (op, n, body) == (DATA, 1, b""))
    op, n, body = ask(b"big", options=b"tsize\0000\0blksize\0001428\0windowsize\0004\0")
    check("options are granted, with the size", op == OACK, (op, body))
    with c1.socket() as u:
        u.settimeout(2)
        u.sendto(b"\0\1big\0octet\0tsize\0000\0blksize\0001428\0windowsize\00016\0", (SERVER, 69))
        b, peer = u.recvfrom(2048)
        granted = dict(zip(*[iter(b[2:].decode().lower().split("\0")[:-1])] * 2))
        check("tsize, blksize, windowsize", granted == {"tsize": str(100 << 20), "blksize": "1428", "windowsize": "16"}, granted)
        u.sendto(struct.pack("!HH", ACK, 0), peer)
        first = [struct.unpack("!HH", u.recv(2048)[:4]) for _ in range(4)]
        check("a window of blocks follows", first == [(DATA, i) for i in (1, 2, 3, 4)], first)
        u.sendto(struct.pack("!HH", ERROR, 0) + b"enough\0", peer)
        with c1.socket() as other:
            other.settimeout(0.4)
            other.sendto(struct.pack("!HH", ACK, 1), peer)
            try:
                check("a transfer's port answers nobody else", other.recv(100)[1] == ERROR)
            except OSError:
                check("a transfer's port answers nobody else", True)

    # ---- whole files ----
    def curl(ns, name, out, *opts, **kw):
        return subprocess.Popen(ns.cmd("curl", "-sS", *opts, "-o", out, f"tftp://{SERVER}/{name}"), stderr=subprocess.PIPE, **kw)

    p = curl(c1, "blocks", f"{lan.dir}/got")
    check("a file that ends on a block", p.wait(10) == 0 and sha(f"{lan.dir}/got") == sha(f"{root}/blocks"))
    got = run(*c1.cmd("busybox", "tftp", "-g", "-l", f"{lan.dir}/got", "-r", "big", SERVER), check=False, timeout=60)
    check("100 MB in blocks of 512: the block number rolls over three times", sha(f"{lan.dir}/got") == big, got.stderr)
    os.unlink(f"{lan.dir}/got")
    got = run(*c1.cmd("atftp", "--option", "blksize 1428", "--option", "windowsize 16", "-g", "-r", "mid", "-l", f"{lan.dir}/got", SERVER), check=False)
    check("atftp with a window of 16", sha(f"{lan.dir}/got") == mid, got.stderr)
    many = [curl(lan.clients[i % 2], "mid", f"{lan.dir}/got{i}", "--tftp-blksize", "1428") for i in range(20)]
    done_all = [p.wait(60) for p in many]
    check("20 transfers at once", not any(done_all) and all(sha(f"{lan.dir}/got{i}") == mid for i in range(20)), done_all)

    # ---- a lossy wire ----
    # Dropped where they arrive: a sender would be told of what is dropped on the way out.
    for ns, rule in ((c2, ""), (lan.srv, "ip saddr 10.7.0.11 ")):
        ns.run("nft", "add table ip loss; add chain ip loss in { type filter hook input priority 0; }; "
               f"add rule ip loss in {rule}udp dport > 1023 numgen random mod 100 < 1 drop")
    got = run(*c2.cmd("atftp", "--option", "blksize 1428", "--option", "windowsize 16", "-g", "-r", "one", "-l", f"{lan.dir}/lossy", SERVER),
              check=False, timeout=60)
    check("1 MB over a wire that loses 1 % each way", sha(f"{lan.dir}/lossy") == one, got.stderr)
    got = run(*c2.cmd("busybox", "tftp", "-g", "-b", "1428", "-l", f"{lan.dir}/lossy2", "-r", "one", SERVER), check=False, timeout=60)
    check("without a window", sha(f"{lan.dir}/lossy2") == one, got.stdout + got.stderr)
    check("blocks were sent again, few", 0 < d.metric("tftp_retransmits_total") < 3000, d.metric("tftp_retransmits_total"))
    check("no transfer is left over", until(10, lambda: d.metric("tftp_active") == 0), d.metric("tftp_active"))

    # ---- which file for whom ----
    def boot(n, *options):
        r = Client(c1, n).discover((55, bytes([1, 3, 66, 67])), *options)
        name = (option(r, 67) or r.file.encode()).rstrip(b"\0").decode()
        return name, r

    arch = lambda n: (93, struct.pack("!H", n))
    pxe = (60, b"PXEClient:Arch:00000:UNDI:002001")
    for n, want in ((0, "pxelinux.0"), (6, "ia32.efi"), (7, "shimx64.efi"), (9, "shimx64.efi"), (11, "shimaa64.efi")):
        name, r = boot(300 + n, arch(n), pxe)
        check(f"architecture {n}: {want} from us", name == want and r.siaddr == SERVER, (name, r.siaddr))
    name, r = boot(320, arch(7), pxe, (77, b"iPXE"))
    check("iPXE by its user class gets its script", name.endswith("menu.ipxe"), name)
    name, r = boot(321, arch(0), pxe, (175, b"\x10\1\1"))
    check("iPXE by its own options as well", name.endswith("menu.ipxe"), name)
    name, r = boot(322, arch(16), (60, b"HTTPClient:Arch:00016:UNDI:003001"))
    check("HTTP boot: a URL, and HTTPClient comes back", name == f"http://{SERVER}/image.efi" and option(r, 60) == b"HTTPClient", (name, r.options))
    name, r = boot("02:00:00:00:00:99", arch(0), pxe)
    check("a device's own file", name == "special.0", name)
    name, r = boot(323)
    check("who does not boot is told nothing", name == "", name)
    check("a clean stop exits 0", d.stop() == 0)
done()
