"""
Where the HAProxy of a load balancer lives: directories and names, all derived from the load balancer's id. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fournines_sandbox.site import Site


@dataclass(frozen=True, slots=True)
class Seat:
    """
    Where one HAProxy lives.

    Args:
        directory: Its configuration and its servers' state; survives the machine.
        socket: Its stats socket.
        namespace: Name of its network namespace, which must exist.
        cgroup: Its cgroup, relative to each hierarchy's root.
    """

    directory: Path
    socket: Path
    namespace: str
    cgroup: str

    @property
    def configuration(self) -> Path:
        """The configuration of what runs."""
        return self.directory / "haproxy.cfg"

    @property
    def state(self) -> Path:
        """What HAProxy knew of its servers at the last reload."""
        return self.directory / "servers-state"

    @property
    def pid_file(self) -> Path:
        """The newest process."""
        return self.directory / "haproxy.pid"


def seat_of(site: Site, identifier: str) -> Seat:
    """
    Where the HAProxy of a load balancer lives.
    """
    return Seat(
        directory=configurations(site) / identifier,
        socket=site.run / "lb" / f"{identifier[:13]}.sock",
        namespace=site.netns("lb", identifier),
        cgroup=site.cgroup("lb", identifier),
    )


def configurations(site: Site) -> Path:
    """
    The directory that holds one directory per load balancer.
    """
    return site.state / "loadbalancers"
