"""
Removing what a cloud leaves on the machine: processes, mounts, cgroups, namespaces, interfaces.

Nothing is remembered: what belongs to this cloud is recognised by its home directory and its prefix, so leftovers of
any death are found, and other clouds' things never are.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from fournines_sandbox.network import kernel, plug
from fournines_sandbox.site import Site

_KILL_SECONDS_MAX = 10


def before_start(site: Site) -> None:
    """
    Remove what would be in the way of a start after an unclean death: control-plane processes without a supervisor.

    Instances and load balancers that still run are kept; their drivers adopt them.
    """
    _kill(control_plane(site))
    for name in ("supervisor.sock", "supervisor.pid", "mariadb.pid", "mariadb.sock"):
        (site.run / name).unlink(missing_ok=True)


def everything(site: Site) -> None:
    """
    Remove all of it.
    """
    _kill(control_plane(site))
    # A frozen process takes its death only once it is thawed.
    _thaw(site)
    _kill(contained(site))
    _unmount(site)
    for netns in kernel.netns_names(f"{site.prefix}-"):
        kernel.delete_netns(netns)
    plug.remove_host_leg(site)
    _remove_cgroups(site)


def control_plane(site: Site) -> list[int]:
    """
    Processes that the supervisor ran, the supervisor and its keeper.
    """
    home = f"FOURNINES_SANDBOX_HOME={site.home}".encode()
    marks = (b"fournines_sandbox.services.", b"supervisor.supervisord")
    found = []
    for pid in _pids():
        command, environment = _read(pid, "cmdline"), _read(pid, "environ")
        database = b"mariadbd" in command and f"--datadir={site.state}/".encode() in command
        ours = home in environment.split(b"\0") and any(mark in command for mark in marks)
        if (database or ours) and pid != os.getpid():
            found.append(pid)
    return found


def contained(site: Site) -> list[int]:
    """
    Processes in this cloud's cgroups or network namespaces: instances, load balancers.
    """
    inodes = set()
    for netns in kernel.netns_names(f"{site.prefix}-"):
        with contextlib.suppress(OSError):
            inodes.add((kernel.NETNS_DIRECTORY / netns).stat().st_ino)
    mark = f"/{site.prefix}/".encode()
    found = []
    for pid in _pids():
        with contextlib.suppress(OSError):
            inside = Path(f"/proc/{pid}/ns/net").stat().st_ino in inodes
            if inside or mark in _read(pid, "cgroup"):
                found.append(pid)
    return found


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _KILL_SECONDS_MAX
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    stat = _read(pid, "stat")
    return bool(stat) and stat.rpartition(b")")[2].split()[:1] not in ([b"Z"], [b"X"])


def _thaw(site: Site) -> None:
    for root in _cgroup_roots(site):
        for path in root.rglob("freezer.state"):
            with contextlib.suppress(OSError):
                path.write_text("THAWED")
        for path in root.rglob("cgroup.freeze"):
            with contextlib.suppress(OSError):
                path.write_text("0")


def _unmount(site: Site) -> None:
    home = f"{site.home}/"
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [m.encode().decode("unicode_escape") for m in mounts if m.startswith(home)]
    # The last mounted first, for some are mounted within others.
    for mount in reversed(below):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def _cgroup_roots(site: Site) -> list[Path]:
    base = Path("/sys/fs/cgroup")
    return [path for path in (base / site.prefix, *base.glob(f"*/{site.prefix}")) if path.is_dir()]


def _remove_cgroups(site: Site) -> None:
    for root in _cgroup_roots(site):
        directories = sorted((p for p in root.rglob("*") if p.is_dir()), reverse=True)
        for directory in [*directories, root]:
            with contextlib.suppress(OSError):
                directory.rmdir()


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
