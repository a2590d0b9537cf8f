# SPDX-License-Identifier: Apache-2.0
"""A LAN in network namespaces, with the daemon on it, for the live tests.

Lan() makes `lt<pid>-srv` with a bridge br0 (10.7.0.1/24, fd07::1/64) and as many client namespaces
as are asked for; everything is removed again when the block ends, whatever happened. Nothing leaves the
namespaces. A test is a plain program: it calls check() for each thing it saw and ends with done().

Environment: LANTHORN_BUILD is the build folder (CTest sets it). Exit 77 means skipped, with the reason printed.
"""
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(os.environ.get("LANTHORN_BUILD", "build/release"))
HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = "10.7.0.1"
SERVER6 = "fd07::1"
DOMAIN = "lan.test"

_failed = 0
_passed = 0


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def need(*programs, root=True):
    """Skip when not root or when a program is missing."""
    if root and os.geteuid() != 0:
        skip("needs root for network namespaces")
    for p in programs:
        if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            skip("needs the program " + p)


def check(what, good, detail=""):
    """Note one thing seen; a failure is printed with its detail and ends the test badly."""
    global _failed, _passed
    if good:
        _passed += 1
        print("ok   ", what)
    else:
        _failed += 1
        print("FAIL ", what, detail)
    sys.stdout.flush()
    return good


def done():
    print(f"{_passed} passed, {_failed} failed")
    sys.exit(1 if _failed or not _passed else 0)


def until(seconds, cond, every=0.02):
    """Poll until cond() is true; its value, or the last false one when time is up."""
    end = time.monotonic() + seconds
    while True:
        v = cond()
        if v or time.monotonic() > end:
            return v
        time.sleep(every)


def run(*cmd, timeout=30, check=True, **kw):
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=timeout, **kw)
    if check and p.returncode != 0:
        raise RuntimeError(f"{' '.join(cmd)}: exit {p.returncode}\n{p.stdout}{p.stderr}")
    return p


def setns(fd):
    """Move this thread into the network namespace behind fd."""
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Ns:
    """One network namespace."""

    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        # Addresses are good at once, so that no late event of an interface looks like the effect of what a test did.
        self.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.dad_transmits=0",
                 "net.ipv6.conf.default.router_solicitations=0")
        self.run("ip", "link", "set", "lo", "up")
        self.procs = []

    def cmd(self, *cmd):
        return ["ip", "netns", "exec", self.name, *cmd]

    def run(self, *cmd, **kw):
        return run(*self.cmd(*cmd), **kw)

    def out(self, *cmd, **kw):
        return self.run(*cmd, check=False, **kw).stdout.strip()

    def popen(self, *cmd, log=None, **kw):
        out = open(log, "ab") if log else subprocess.DEVNULL
        p = subprocess.Popen(self.cmd(*cmd), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **kw)
        self.procs.append(p)
        return p

    def enter(self):
        """Move this thread into the namespace (for raw sockets of the test itself)."""
        fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            setns(fd)
        finally:
            os.close(fd)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM, proto=0):
        """A socket of this namespace, for the test's own use from where it is."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self.enter()
            return socket.socket(family, kind, proto)
        finally:
            setns(home)
            os.close(home)

    def down(self):
        for p in self.procs:
            if p.poll() is None:
                p.kill()
            p.wait()
        pids = run("ip", "netns", "pids", self.name, check=False).stdout.split()
        for pid in pids:
            if int(pid) == os.getpid():
                continue   # this test has entered it
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        run("ip", "netns", "del", self.name, check=False)

    def address(self, dev="eth0"):
        m = re.search(r"inet (\d+\.\d+\.\d+\.\d+)/", self.out("ip", "-4", "addr", "show", "dev", dev, "scope", "global"))
        return m.group(1) if m else None


class Lan:
    def __init__(self, clients=2):
        self.tag = f"lt{os.getpid()}"
        self.n = clients
        self.ns = []
        self.dir = tempfile.mkdtemp(prefix="lanthorn-live-")
        os.chmod(self.dir, 0o755)
        self.daemons = []

    def __enter__(self):
        try:
            self.srv = self.add("srv")
            self.bridge("br0", SERVER + "/24", SERVER6 + "/64")
            self.clients = [self.client(i + 1) for i in range(self.n)]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        try:
            if exc and exc[0] is not None or _failed:
                for d in self.daemons:
                    d.show_log()
        finally:   # also when nobody reads what we print any more
            for d in self.daemons:
                d.kill()
            for n in reversed(self.ns):
                n.down()
            shutil.rmtree(self.dir, ignore_errors=True)

    def bridge(self, name, *addresses):
        """A bridge in the daemon's namespace with these addresses/lengths."""
        self.srv.run("ip", "link", "add", name, "type", "bridge", "forward_delay", "0")
        self.srv.run("ip", "link", "set", name, "up")
        for a in addresses:
            self.srv.run("ip", "addr", "add", a, *(["nodad"] if ":" in a else ["brd", "+"]), "dev", name)

    def add(self, name):
        n = Ns(f"{self.tag}-{name}")
        self.ns.append(n)
        return n

    def unconfined(self, program):
        """A copy of a program: AppArmor's profiles, which know it by its path, keep it from our folder."""
        copy = f"{self.dir}/{program}.copy"
        if not os.path.exists(copy):
            shutil.copy(shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"), copy)
        return copy

    def join(self, ns, bridge_ns, bridge, dev="eth0"):
        """A veth from ns (as dev) to a bridge in bridge_ns."""
        tmp = f"v{os.getpid() % 100000}{len(self.ns)}"
        run("ip", "link", "add", tmp, "netns", bridge_ns.name, "type", "veth", "peer", "name", dev, "netns", ns.name)
        port = "p" + ns.name.split("-", 1)[1] + dev[-1]
        bridge_ns.run("ip", "link", "set", tmp, "name", port)
        bridge_ns.run("ip", "link", "set", port, "master", bridge, "up")
        ns.run("ip", "link", "set", dev, "up")

    def client(self, i, bridge="br0"):
        n = self.add(f"c{i}")
        self.join(n, self.srv, bridge)
        return n

    def static(self, *clients):
        """10.7.0.11, 10.7.0.12, ... for clients that are to have no lease."""
        for i, ns in enumerate(clients or self.clients):
            ns.run("ip", "addr", "add", f"10.7.0.{11 + i}/24", "dev", "eth0")

    def config(self, extra="", lan="", dns="", user="none", name="lanthorn.yaml", subnet="10.7.0.0/24",
               pool="10.7.0.100-10.7.0.199", lease="1h"):
        """Write a configuration for br0; extra is put at the end, lan and dns inside their maps."""
        return self.write(f"lan:\n  br0:\n    subnet: {subnet}\n    pool: [{pool}]\n"
                          f"    router: {SERVER}\n    lease: {lease}\n    probe: no\n{indent(lan, 4)}{extra}", dns, user, name)

    def write(self, text, dns="", user="none", name="lanthorn.yaml"):
        """Write a configuration: what every test needs, and text behind it."""
        path = f"{self.dir}/{name}"
        with open(path, "w") as f:
            f.write(f"state-dir: {self.dir}/state\nuser: {user}\ndomain: {DOMAIN}\n"
                    f"dns:\n  validate: no\n  prime: no\n  cache-size: 32M\n"
                    f"{'' if 'workers:' in dns else '  workers: 2' + chr(10)}{indent(dns, 2)}{text}")
        return path

    def daemon(self, config=None, **kw):
        d = Daemon(self, config or f"{self.dir}/lanthorn.yaml", **kw)
        self.daemons.append(d)
        return d

    # ---- real DHCP clients ----
    def dhclient(self, ns, *opts):
        """ISC dhclient in the foreground; its script only sets the address."""
        lease = f"{self.dir}/{ns.name}.dhclient"
        conf = f"{self.dir}/{ns.name}.conf"
        with open(conf, "w") as f:
            f.write(f'send host-name "{ns.name.split("-", 1)[1]}";\nrequest subnet-mask, routers, domain-name-servers, '
                    "domain-name, host-name;\n")
        return ns.popen(self.unconfined("dhclient"), "-4", "-d", "-v", "-cf", conf, "-lf", lease, "-pf", lease + ".pid", "-sf",
                        f"{HERE}/dhclient-script", *opts, "eth0", log=f"{self.dir}/{ns.name}.log")

    def udhcpc(self, ns, *opts):
        return ns.popen("busybox", "udhcpc", "-f", "-i", "eth0", "-x", "hostname:" + ns.name.split("-", 1)[1], "-s",
                        f"{HERE}/udhcpc-script", *opts, log=f"{self.dir}/{ns.name}.log")


def indent(text, n):
    return "".join(" " * n + line + "\n" for line in text.strip("\n").split("\n") if line.strip())


class Daemon:
    def __init__(self, lan, config, ns=None, wrap=(), wait=True, env=None):
        self.lan, self.config, self.ns, self.wrap = lan, config, ns or lan.srv, wrap
        self.log = f"{lan.dir}/daemon{len(lan.daemons)}.log"
        self.env = {**os.environ, **(env or {})}
        self.start(wait)

    def start(self, wait=True):
        self.proc = subprocess.Popen(self.ns.cmd(*self.wrap, f"{BIN}/lanthornd", "-f", "-c", self.config), stdin=subprocess.DEVNULL,
                                     stdout=open(self.log, "ab"), stderr=subprocess.STDOUT, env=self.env)
        if wait:
            self.ready()

    def ready(self, seconds=20):
        """Until the daemon says that it serves; a daemon that ended fails the test at once."""
        seen = self.count("DAEMON_START")
        want = getattr(self, "starts", 0) + 1
        if not until(seconds, lambda: self.count("DAEMON_START") >= want or self.proc.poll() is not None) or self.proc.poll() is not None:
            self.show_log()
            raise RuntimeError(f"the daemon did not start (exit {self.proc.poll()}, {seen} starts seen)")
        self.starts = want

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def count(self, word):
        return self.text().count(word)

    def waits_for(self, word, seconds=10, n=1):
        return until(seconds, lambda: self.count(word) >= n)

    def show_log(self):
        print(f"--- {self.log}")
        print(self.text()[-6000:])
        sys.stdout.flush()

    def pid(self):
        """The daemon's own, also below a wrapper."""
        pid = self.proc.pid
        while True:
            try:
                kids = open(f"/proc/{pid}/task/{pid}/children").read().split()
                if not kids or os.readlink(f"/proc/{pid}/exe").endswith("lanthornd"):
                    return pid
            except OSError:
                return pid
            pid = int(kids[0])

    def signal(self, sig):
        os.kill(self.pid(), sig)

    def stop(self, seconds=10):
        """SIGTERM; the exit code."""
        if self.proc.poll() is None:
            self.signal(signal.SIGTERM)
        return self.proc.wait(seconds)

    def kill(self):
        if self.proc.poll() is None:
            try:
                os.kill(self.pid(), signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.proc.wait(10)

    def is_up(self):
        return self.proc.poll() is None

    def ctl(self, *args, timeout=20):
        """The command `lanthorn` on this daemon's state dir: (exit code, output)."""
        p = run(f"{BIN}/lanthorn", "--state-dir", self.state_dir(), *args, check=False, timeout=timeout)
        return p.returncode, p.stdout + p.stderr

    def json(self, *args):
        p = run(f"{BIN}/lanthorn", "--state-dir", self.state_dir(), "--json", *args, check=False)
        return json.loads(p.stdout) if p.stdout.strip() else None

    def state_dir(self):
        """As the configuration said when it was first asked for: it needs a restart to change."""
        if not hasattr(self, "_state_dir"):
            self._state_dir = re.search(r"^state-dir: *(\S+)", open(self.config).read(), re.M).group(1)
        return self._state_dir

    def metric(self, name):
        m = re.search(rf"^lanthorn_{name} (\S+)$", self.ctl("metrics")[1], re.M)
        return float(m.group(1)) if m else None

    def leases(self):
        return {l["address"]: l for l in self.json("leases") or []}


def dig(ns, name, rtype="A", server=SERVER, *opts):
    """Short answers of dig, a list of lines."""
    out = ns.out("dig", "+short", "+time=2", "+tries=1", *opts, "@" + server, name, rtype)
    return [l for l in out.split("\n") if l and not l.startswith(";")]


def dig_full(ns, name, rtype="A", server=SERVER, *opts):
    """status, flags, and the answer and authority sections as lists of lines."""
    out = ns.out("dig", "+time=2", "+tries=1", *opts, "@" + server, name, rtype)
    status = re.search(r"status: (\w+)", out)
    flags = re.search(r"flags: ([a-z ]*);", out)
    part = lambda h: [l for l in re.search(rf";; {h} SECTION:\n(.*?)(\n\n|\Z)", out, re.S).group(1).split("\n")] if f";; {h} SECTION:" in out else []
    return (status.group(1) if status else "none", flags.group(1).split() if flags else [], part("ANSWER"), part("AUTHORITY"))
