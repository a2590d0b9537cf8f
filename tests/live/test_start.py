#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=90
"""Starting and stopping: ports and state dirs that are taken, no configuration at all, systemd's socket, and what
the running daemon may still do."""
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time

from internet import Internet, zone
from lan import BIN, DOMAIN, SERVER, Lan, check, done, need, run, until
from stub import Stub, data, rcode

need("nsd")


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)


def tries(lan, config):
    """A start that is to fail: (exit code, what it said)."""
    try:
        p = subprocess.run(lan.srv.cmd(f"{BIN}/lanthornd", "-f", "-c", config), capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode() + (e.stderr or b"").decode()
    return p.returncode, p.stdout + p.stderr


with Lan(clients=1) as lan:
    # ---- ready and stopping, as systemd hears it ----
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(f"{lan.dir}/notify")
    os.chmod(f"{lan.dir}/notify", 0o777)
    heard.settimeout(10)
    config = lan.config(user="nobody", extra="sandbox: yes\n")
    secret = f"{lan.dir}/secret"
    with open(secret, "w") as f:
        f.write("10.7.0.66 leaked\n")
    os.chmod(secret, 0o600)
    d = lan.daemon(config, env={"NOTIFY_SOCKET": f"{lan.dir}/notify", "WATCHDOG_USEC": "2000000"}, wait=False)
    check("READY=1 is told", heard.recv(4096).decode().startswith("READY=1"))
    check("only when it serves", rcode(Stub(lan.srv).ask(f"nobody.{DOMAIN}")) == "NXDOMAIN")
    d.ready()
    check("the watchdog is fed", "WATCHDOG=1" in heard.recv(4096).decode())
    code, out = d.ctl("reload")
    words = [heard.recv(4096).decode() for _ in range(2)]
    words += [heard.recv(4096).decode() for _ in range(2) if "READY=1" not in "".join(words)]
    check("RELOADING=1, then READY=1", re.search(r"RELOADING=1.*READY=1", " ".join(words), re.S), words)

    # ---- what it may still do ----
    pid = d.pid()
    st = status_of(pid)
    uid = pwd.getpwnam("nobody").pw_uid
    check("it runs as the user", st["Uid"].split() == [str(uid)] * 4, st["Uid"])
    for t in os.listdir(f"/proc/{pid}/task"):
        ts = status_of(f"{pid}/task/{t}")
        caps = int(ts["CapEff"], 16) | int(ts["CapPrm"], 16)
        if not check(f"thread {ts['Name']}: seccomp, no new privileges, two capabilities at most",
                     ts["Seccomp"].strip() == "2" and ts["NoNewPrivs"].strip() == "1" and not caps & ~((1 << 10) | (1 << 13)) and
                     ts["Uid"].split()[1] == str(uid), (ts["Seccomp"], ts["NoNewPrivs"], ts["CapEff"])):
            break
    check("no bounding set to climb back", int(st["CapBnd"], 16) & ~((1 << 10) | (1 << 13)) == 0, st["CapBnd"])
    check("no groups of root", "0" not in st["Groups"].split(), st["Groups"])
    check("no memory is both writable and executable", not [l for l in open(f"/proc/{pid}/maps") if "rwx" in l.split()[1]])
    check("the state dir is the user's", os.stat(f"{lan.dir}/state").st_uid == uid)
    loose = {n: oct(os.stat(f"{lan.dir}/state/{n}").st_mode) for n in os.listdir(f"{lan.dir}/state") if os.stat(f"{lan.dir}/state/{n}").st_mode & 0o007}
    check("nobody else reads or writes its files", not [n for n in loose if n != "snapshots"], loose)
    code, out = d.ctl("status")
    check("`lanthorn status` answers", code == 0 and "10.7.0.1" in out, out)
    j = d.json("status")
    check("with --json its fields", j["sandbox"] == {"user_changed": True, "seccomp": True, "landlock": True, "uid": uid}
          and j["dhcp"] and j["leases"] == 0 and "br0" in j["lans"], j)

    with open(config) as f:
        text = f.read()
    with open(config, "w") as f:
        f.write(text + f"hosts: {secret}\n")
    code, out = d.ctl("reload")
    check("it reads no file of root's", code == 0 and f"{secret} cannot be read" in out and "denied" in out.lower(), (code, out))
    with open(config, "w") as f:
        f.write(text)
    d.ctl("reload")

    # ---- taken already ----
    code, out = tries(lan, config)
    check("a second daemon on the same state dir is refused", code == 1 and "DAEMON_STATE_BUSY" in out, (code, out))
    other = f"{lan.dir}/other.yaml"
    with open(config) as f, open(other, "w") as g:
        g.write(f.read().replace(f"{lan.dir}/state", f"{lan.dir}/state2"))
    code, out = tries(lan, other)
    check("a second daemon on the same port is refused, and the first one named",
          code == 1 and "DAEMON_PORT_BUSY" in out and f"lanthornd (pid {pid})" in out, (code, out))
    check("the first goes on", rcode(Stub(lan.srv).ask(f"nobody.{DOMAIN}")) == "NXDOMAIN")
    d.signal(signal.SIGTERM)
    words = ""
    while "STOPPING=1" not in words:
        words += heard.recv(4096).decode()
    check("STOPPING=1 is told", True)
    t0 = time.monotonic()
    check("SIGTERM: exit 0", d.stop() == 0)
    check("the control socket is gone", not os.path.exists(f"{lan.dir}/state/control.sock"))
    d.start()
    d.signal(signal.SIGINT)
    check("SIGINT: exit 0", d.proc.wait(10) == 0)

    # A holder of port 53 that is not ours: a program whose name the kernel knows as "resolver-x".
    for name, remedy, kind in (("resolver-x", "dns.listen", "udp"), ("systemd-resolve", "DNSStubListener=no", "udp"), ("tcp-holder", "dns.listen", "tcp")):
        holder = lan.srv.popen("/usr/bin/python3", "-c", f"""
import socket, time
open("/proc/self/comm", "w").write("{name}")
s = socket.socket(socket.AF_INET, socket.SOCK_{'DGRAM' if kind == 'udp' else 'STREAM'})
s.bind(("{SERVER}", 53))
{'s.listen()' if kind == 'tcp' else ''}
open("{lan.dir}/held-{name}", "w")
time.sleep(60)
""")
        until(10, lambda: os.path.exists(f"{lan.dir}/held-{name}"))
        code, out = tries(lan, config)
        check(f"port 53 held by {name} ({kind}): it is named, with the remedy",
              code == 1 and f"{name} (pid {holder.pid})" in out and remedy in out and "DAEMON_PORT_BUSY" in out, (code, out))
        holder.kill()
        holder.wait()
    holder = lan.srv.popen("/usr/bin/python3", "-c", f"import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                           f"s.bind(('', 67))\nopen('{lan.dir}/held67', 'w')\ntime.sleep(60)")
    until(10, lambda: os.path.exists(f"{lan.dir}/held67"))
    code, out = tries(lan, config)
    check("port 67 held by another DHCP server", code == 1 and "DAEMON_DHCP_BIND" in out and f"python3 (pid {holder.pid})" in out, (code, out))
    holder.kill()
    holder.wait()
    code, out = tries(lan, f"{lan.dir}/absent.yaml")
    check("a configuration that is named and not there", code == 1 and "absent.yaml" in out, (code, out))

    # ---- nothing configured at all ----
    if os.path.exists("/etc/lanthorn/lanthorn.yaml") or os.path.exists("/var/lib/lanthorn"):
        print("     /etc/lanthorn or /var/lib/lanthorn is in use on this machine: the start without a file is left out")
    else:
        # Its own mount namespace: the default state dir is made on a file system of its own.
        log = open(f"{lan.dir}/bare.log", "wb")
        p = subprocess.Popen(lan.srv.cmd("unshare", "-m", "sh", "-c", f"mount -t tmpfs none /var/lib && exec {BIN}/lanthornd -f"),
                             stdout=log, stderr=log)
        ok = until(15, lambda: b"DAEMON_START" in open(f"{lan.dir}/bare.log", "rb").read() or p.poll() is not None)
        check("with no configuration it starts", ok and p.poll() is None, open(f"{lan.dir}/bare.log").read())
        check("and serves loopback", rcode(Stub(lan.srv, "127.0.0.1").ask("x.test")) == "NXDOMAIN")
        check("nobody else", Stub(lan.srv, SERVER).ask("x.test", timeout=0.4) is None)
        p.terminate()
        check("and ends in order", p.wait(10) == 0)
    # A drop that cannot be done is a warning, not the end.
    lan.config(user="no-such-user")
    d.config = f"{lan.dir}/lanthorn.yaml"
    d.start()
    check("a user that does not exist is warned of", "DAEMON_NO_USER" in d.text())
    check("and it serves", rcode(Stub(lan.srv).ask(f"nobody.{DOMAIN}")) == "NXDOMAIN")
    check("a clean stop exits 0", d.stop() == 0)
done()
