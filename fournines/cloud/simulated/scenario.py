"""
What a simulated cloud is like: zones, hosts, images, flavors, quota, speeds. Impossible scenarios are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fournines.model.inventory import Flavor, Image, Quota


class InconsistentScenario(ValueError):
    """
    A scenario or an injected fault that no real cloud could show: the test is broken, not the code under test.
    """


@dataclass(frozen=True, slots=True)
class Speeds:
    """
    How long things take, in seconds, before jitter. Defaults are what a small idle OpenStack showed.

    Attributes:
        notice: From an instance's death to Nova's SHUTOFF; real clouds take 10-40 s, so Nova's word is late.
        jitter_ratio: Each duration is multiplied by 1 plus or minus at most this, drawn from the seed.
    """

    api: float = 0.02
    build: float = 2.0
    boot: float = 1.5
    restart: float = 1.0
    delete: float = 0.6
    load_balancer: float = 1.0
    change: float = 0.3
    volume: float = 0.5
    notice: float = 20.0
    jitter_ratio: float = 0.0

    @classmethod
    def instant(cls) -> Speeds:
        """
        No waiting at all: for contract tests on the machine's clock.
        """
        return cls(
            api=0,
            build=0,
            boot=0,
            restart=0,
            delete=0,
            load_balancer=0,
            change=0,
            volume=0,
            notice=0,
        )


UNLIMITED = Quota(
    instances=-1,
    cores=-1,
    ram_mb=-1,
    volumes=-1,
    volume_gb=-1,
    floating_ips=-1,
    networks=-1,
    routers=-1,
    security_groups=-1,
    load_balancers=-1,
)

_IMAGES = (Image(id="image-debian-12", name="debian-12"),)
_FLAVORS = (
    Flavor(id="flavor-tiny", name="m1.tiny", vcpus=1, ram_mb=512, disk_gb=1),
    Flavor(id="flavor-small", name="m1.small", vcpus=1, ram_mb=2048, disk_gb=20),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    A cloud to simulate.

    Attributes:
        limits: The project's quota; -1 is unlimited.
        instances_per_host: A host that is full takes no more.
        capacity_per_instance: Requests a second that an instance serves quickly; None is without end.
        prometheus_listener: Whether the load-balancer provider can serve metrics (OVN cannot).
        objects: Whether it has an object store.
        attempts: Tries of one API call on transient faults, as the real adapter makes them.
    """

    zones: tuple[str, ...] = ("az1", "az2", "az3")
    hosts_per_zone: int = 2
    instances_per_host: int = 100
    images: tuple[Image, ...] = _IMAGES
    flavors: tuple[Flavor, ...] = _FLAVORS
    limits: Quota = UNLIMITED
    speeds: Speeds = field(default_factory=Speeds)
    subnet_pool_cidr: str = "10.20.0.0/16"
    external_cidr: str = "192.0.2.0/24"
    prometheus_listener: bool = True
    objects: bool = True
    capacity_per_instance: float | None = None
    attempts: int = 4
    seed: int = 1

    def __post_init__(self) -> None:
        for complaint in _complaints(self):
            raise InconsistentScenario(complaint)


def _complaints(scenario: Scenario) -> list[str]:
    """
    What no real cloud could be.
    """
    found = []
    if not scenario.zones:
        found.append("a cloud has at least one zone")
    if len(set(scenario.zones)) != len(scenario.zones):
        found.append("two zones of one name")
    if scenario.hosts_per_zone < 1 or scenario.instances_per_host < 1:
        found.append("a zone has at least one host, a host room for an instance")
    for kind, names in (
        ("images", [image.name for image in scenario.images]),
        ("flavors", [flavor.name for flavor in scenario.flavors]),
    ):
        if len(set(names)) != len(names):
            found.append(f"two {kind} of one name")
    if any(value < -1 for value in scenario.limits.model_dump().values()):
        found.append("a quota below -1")
    if scenario.attempts < 1:
        found.append("a call is tried at least once")
    if not 0 <= scenario.speeds.jitter_ratio < 1:
        found.append("jitter between 0 and 1")
    return found
