"""
What the embedded cloud needs of the machine, checked before anything is touched and told all at once.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from fournines_sandbox.site import SERVICES as PORTS
from fournines_sandbox.site import Site

_PROGRAMS = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "haproxy": "haproxy",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "mkfs.ext4": "e2fsprogs",
}
_SOCKET_PATH_MAX = 107
_SOCKET_NAME_MAX = len("octavia-status.sock") + 1


class NeedsError(RuntimeError):
    """
    The machine lacks something; the message is one sentence with the remedy.
    """


def check(site: Site) -> None:
    """
    Raise unless the cloud can run here.

    Raises:
        NeedsError: All that is missing, and how to get it.
    """
    if os.geteuid() != 0:
        raise NeedsError(
            "the embedded cloud needs root (it makes network namespaces and mounts): run it with sudo."
        )
    missing = [
        *_missing_programs(),
        *_missing_kernel_features(),
        *_long_paths(site),
    ]
    if missing:
        raise NeedsError("the embedded cloud cannot run here: " + "; ".join(missing) + ".")


def check_ports(site: Site) -> None:
    """
    Raise when somebody else listens where this cloud is about to.

    Raises:
        NeedsError: The ports, and what to do.
    """
    taken = [str(site.port(name)) for name in PORTS if _taken(site.port(name))]
    if taken:
        raise NeedsError(
            f"port {', '.join(taken)} of slot {site.slot} is in use by another program, perhaps by a cloud "
            "of another checkout: choose another slot (FOURNINES_SLOT) or stop that program."
        )


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _missing_programs() -> list[str]:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    absent = {
        name: package for name, package in _PROGRAMS.items() if not shutil.which(name, path=path)
    }
    if not absent:
        return []
    packages = " ".join(sorted(set(absent.values())))
    return [f"{', '.join(sorted(absent))} missing (apt-get install -y {packages})"]


def _missing_kernel_features() -> list[str]:
    lacking = []
    if not _works(["unshare", "--net", "true"]):
        lacking.append("network namespaces are not permitted here (a container needs --privileged)")
    elif not _works(["unshare", "--net", "nft", "add table inet fournines_probe"]):
        lacking.append("the kernel has no nftables")
    elif not _works(["unshare", "--net", "ip", "link", "add", "probe", "type", "bridge"]):
        lacking.append("the kernel has no bridges")
    if not _overlay_works():
        lacking.append("overlay mounts are not permitted here (a container needs --privileged)")
    if not Path("/sys/fs/cgroup").is_dir():
        lacking.append("no cgroup hierarchy is mounted at /sys/fs/cgroup")
    return lacking


def _overlay_works() -> bool:
    with tempfile.TemporaryDirectory() as directory:
        # A tmpfs below, because an overlay on an overlay is refused even where overlays are fine.
        script = (
            'mount -t tmpfs none "$0" && cd "$0" && mkdir l u w m && '
            "mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m"
        )
        return _works(["unshare", "--mount", "sh", "-c", script, directory])


def _long_paths(site: Site) -> list[str]:
    longest = len(str(site.run)) + _SOCKET_NAME_MAX
    if longest <= _SOCKET_PATH_MAX:
        return []
    return [
        f"the state directory {site.home} is {longest - _SOCKET_PATH_MAX} characters too long for unix "
        "sockets (choose a shorter one)"
    ]


def _works(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
