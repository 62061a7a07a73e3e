"""
Where one embedded cloud lives: its directory, ports, addresses and names.

Everything that two clouds on one machine could fight over is derived from two values, the state directory and the
slot, so two checkouts with different slots never meet. Nothing here touches the machine.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from dataclasses import dataclass
from pathlib import Path

SLOTS = 50
"""Slots a machine offers: 50 x 100 ports from 20000 stay below the kernel's ephemeral range (32768)."""

_PORT_BASE = 20000
_PORTS_PER_SLOT = 100
_DEPOT_OFFSET = 9
SERVICES = (
    "keystone",
    "placement",
    "glance",
    "nova",
    "neutron",
    "cinder",
    "octavia",
    "swift",
)
"""The services with a port, in the order of their ports."""

_TLS = {"swift": 8}
_BACKENDS = {"account": 10, "container": 11, "object": 12}
"""Offsets of ports that no API stands behind in Keystone's catalogue."""


@dataclass(frozen=True, slots=True)
class Site:
    """
    One embedded cloud on this machine.

    Args:
        home: State directory; everything the cloud remembers lies below it.
        slot: Number from 0 to 49 from which ports, addresses and names follow.
        cache_home: Where to keep what clouds of one release may share; below `home` by default.
    """

    home: Path
    slot: int
    cache_home: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.slot < SLOTS:
            raise ValueError(f"slot {self.slot} is not within 0..{SLOTS - 1}")

    # -- how the cloud's own processes learn where they belong

    @classmethod
    def from_environment(cls) -> Site:
        """
        The cloud this process belongs to, as its supervisor said.
        """
        cache = os.environ.get("FOURNINES_SANDBOX_CACHE")
        return cls(
            home=Path(os.environ["FOURNINES_SANDBOX_HOME"]),
            slot=int(os.environ["FOURNINES_SANDBOX_SLOT"]),
            cache_home=Path(cache) if cache else None,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What `from_environment` reads."""
        return {
            "FOURNINES_SANDBOX_HOME": str(self.home),
            "FOURNINES_SANDBOX_SLOT": str(self.slot),
            "FOURNINES_SANDBOX_CACHE": str(self.cache),
        }

    # -- directories

    @property
    def etc(self) -> Path:
        """Generated configuration of the OpenStack services."""
        return self.home / "etc"

    @property
    def run(self) -> Path:
        """Sockets and pid files; forgotten by `down`."""
        return self.home / "run"

    @property
    def log(self) -> Path:
        """One log file per supervised process."""
        return self.home / "log"

    @property
    def state(self) -> Path:
        """Databases, images, instances, volumes; forgotten by `reset` alone."""
        return self.home / "state"

    @property
    def cache(self) -> Path:
        """What is expensive to make and the same for every cloud of this release: base image, schema dump."""
        return self.cache_home or self.home / "cache"

    @property
    def venv(self) -> Path:
        """The virtual environment that holds OpenStack (the running interpreter's)."""
        return Path(sys.prefix)

    # -- ports and addresses

    def port(self, service: str) -> int:
        """
        Loopback port of an OpenStack service (`keystone`, `nova`, ...).
        """
        return _PORT_BASE + _PORTS_PER_SLOT * self.slot + SERVICES.index(service)

    def tls_port(self, service: str) -> int:
        """
        Port at which a service is reached with TLS by instances, on the host's address in the external network.
        """
        return _PORT_BASE + _PORTS_PER_SLOT * self.slot + _TLS[service]

    def backend_port(self, kind: str) -> int:
        """
        Loopback port of one of Swift's servers behind its proxy.
        """
        return _PORT_BASE + _PORTS_PER_SLOT * self.slot + _BACKENDS[kind]

    @property
    def depot_port(self) -> int:
        """Port of the package depot, on the host's address of the external network."""
        return _PORT_BASE + _PORTS_PER_SLOT * self.slot + _DEPOT_OFFSET

    def url(self, service: str) -> str:
        """
        Root URL of an OpenStack service, without a version.
        """
        return f"http://127.0.0.1:{self.port(service)}"

    def internal_url(self, service: str) -> str:
        """
        The same for the services themselves: by this name the fault injector knows their calls from users'.
        """
        return f"http://localhost:{self.port(service)}"

    @property
    def external_network(self) -> ipaddress.IPv4Network:
        """The provider network of floating IPs; the host owns its first address."""
        return ipaddress.IPv4Network(f"10.{100 + 2 * self.slot}.0.0/16")

    @property
    def routable_pool(self) -> ipaddress.IPv4Network:
        """
        The default subnet pool. Subnets from it are routed to the host without NAT, as an operator would announce
        them, so that probes and metrics reach members directly.
        """
        return ipaddress.IPv4Network(f"10.{101 + 2 * self.slot}.0.0/16")

    # -- names of kernel objects (an interface name has at most 15 characters)

    @property
    def prefix(self) -> str:
        """Prefix of every namespace, cgroup and nftables table of this cloud."""
        return f"f9-{self.slot:02d}"

    @property
    def external_bridge(self) -> str:
        """The host's leg on the external network; it carries that network's gateway address."""
        return f"f9x{self.slot:02d}"

    @property
    def switch(self) -> str:
        """
        The namespace that holds every bridge and every port's outer end (`tap`), out of reach of the host's own
        packet filter and routes.
        """
        return f"{self.prefix}-sw"

    def bridge(self, network_id: str) -> str:
        """The bridge of a network, within the switch namespace."""
        return f"f9b{self.slot:02d}-{network_id[:8]}"

    def tap(self, port_id: str) -> str:
        """The outer end of the veth pair of a Neutron port, within the switch namespace."""
        return f"f9t{self.slot:02d}-{port_id[:8]}"

    def netns(self, kind: str, identifier: str) -> str:
        """
        A network namespace: kind `vm` (server id), `rt` (router id) or `lb` (load balancer id).
        """
        return f"{self.prefix}-{kind}-{identifier[:13]}"

    def cgroup(self, kind: str, identifier: str) -> str:
        """The cgroup, relative to each hierarchy's root, of one container or process."""
        return f"{self.prefix}/{kind}-{identifier}"
