"""
The simulated cloud's state: every record by name, hosts, addresses, ids, and what is booked to happen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network

from fournines.cloud.simulated.agenda import Agenda
from fournines.cloud.simulated.faults import FaultBook
from fournines.cloud.simulated.records import (
    FloatingIpRecord,
    HostRecord,
    ImageRecord,
    InstanceRecord,
    LoadBalancerRecord,
    NetworkRecord,
    PortRecord,
    SecurityGroupRecord,
    ServerGroupRecord,
    VolumeRecord,
)
from fournines.cloud.simulated.scenario import Scenario
from fournines.model.inventory import Quota
from fournines.model.specification import InstanceSpec


class World:
    """
    All state. Touched only under the cloud's lock.

    Attributes:
        memberships: Instance name -> the (load balancer, pool) names it is a member of.
        pressure: (load balancer, pool) -> requests per second that users make.
        needs: `platform-service` -> the other that it cannot serve without.
        images: By name.
        voice: What an instance says on its console when it boots.
        slow_boot_seconds: So much longer instances take to boot.
        bad_images: Images whose new instances start and never serve.
        away: The cloud's own services that do not answer.
        object_keys: Keys that its object store knows.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.agenda = Agenda()
        self.faults = FaultBook(scenario.seed)
        self.networks: dict[str, NetworkRecord] = {}
        self.security_groups: dict[str, SecurityGroupRecord] = {}
        self.server_groups: dict[str, ServerGroupRecord] = {}
        self.volumes: dict[str, VolumeRecord] = {}
        self.ports: dict[str, PortRecord] = {}
        self.instances: dict[str, InstanceRecord] = {}
        self.load_balancers: dict[str, LoadBalancerRecord] = {}
        self.floating_ips: dict[str, FloatingIpRecord] = {}
        self.memberships: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self.pressure: dict[tuple[str, str], float] = {}
        self.needs: dict[str, str] = {}
        self.slow_boot_seconds = 0.0
        self.bad_images: set[str] = set()
        self.images: dict[str, ImageRecord] = {
            image.name: ImageRecord(
                image.id,
                image.name,
                dict(image.properties),
                image.status,
                image.min_disk_gb,
                image.min_ram_mb,
            )
            for image in scenario.images
        }
        self.voice: Callable[[InstanceSpec], Sequence[str]] = lambda _spec: ()
        self.away: set[str] = set()
        self.object_keys: set[str] = set()
        self.external = IPv4Network(scenario.external_cidr).hosts()
        self.hosts = [
            HostRecord(f"{zone}-host{number}", zone)
            for zone in scenario.zones
            for number in range(1, scenario.hosts_per_zone + 1)
        ]
        self._group_hosts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._numbers: defaultdict[str, int] = defaultdict(int)

    def new_id(self, kind: str) -> str:
        """
        The next id of a kind: the same calls give the same ids.
        """
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]:05d}"

    def after(self, now: datetime, seconds: float) -> datetime:
        """
        A moment so much later, give or take the scenario's jitter.
        """
        ratio = self.scenario.speeds.jitter_ratio
        return now + timedelta(seconds=seconds * self.faults.jitter(ratio))

    def host_for(self, zone: str | None, group: str | None) -> HostRecord | None:
        """
        Where a new instance goes: the emptiest host with room, apart from its server group's others.
        """
        limit = self.scenario.instances_per_host
        fit = [
            host
            for host in self.hosts
            if host.up and zone in {None, host.zone} and len(host.instances) < limit
        ]
        policy = self.server_groups[group].policy if group else ""
        taken = self._group_hosts[group] if group else Counter()
        apart = [host for host in fit if not taken[host.name]]
        chosen = apart if apart or policy == "anti-affinity" else fit
        return min(chosen, key=lambda host: len(host.instances), default=None)

    def place(self, instance: str, group: str | None, host: HostRecord) -> None:
        """
        Put an instance on a host.
        """
        host.instances.add(instance)
        if group:
            self._group_hosts[group][host.name] += 1

    def unplace(self, instance: str, group: str | None, name: str | None) -> None:
        """
        Take an instance off its host.
        """
        for host in self.hosts:
            if host.name == name and instance in host.instances:
                host.instances.remove(instance)
                if group:
                    self._group_hosts[group][host.name] -= 1

    def left(self) -> Quota:
        """
        Limits less usage.
        """
        limits = self.scenario.limits
        sizes = {flavor.name: flavor for flavor in self.scenario.flavors}

        def sum_of(what: str) -> Iterable[int]:
            """
            Of every instance's flavor; only gone through where a limit asks for it.
            """
            for record in self.instances.values():
                flavor = sizes.get(record.spec.flavor)
                yield getattr(flavor, what) if flavor else 0

        def less(limit: int, used: Iterable[int]) -> int:
            return -1 if limit == -1 else max(limit - sum(used), 0)

        return Quota(
            instances=less(limits.instances, [len(self.instances)]),
            cores=less(limits.cores, sum_of("vcpus")),
            ram_mb=less(limits.ram_mb, sum_of("ram_mb")),
            volumes=less(limits.volumes, [len(self.volumes)]),
            volume_gb=less(
                limits.volume_gb, (v.size_gb for v in self.volumes.values())
            ),
            floating_ips=less(limits.floating_ips, [len(self.floating_ips)]),
            networks=less(limits.networks, [len(self.networks)]),
            routers=less(limits.routers, [len(self.networks)]),
            security_groups=less(limits.security_groups, [len(self.security_groups)]),
            load_balancers=less(limits.load_balancers, [len(self.load_balancers)]),
            server_groups=less(limits.server_groups, [len(self.server_groups)]),
        )
