"""
A cloud small enough to reason about: it does what a step says, at once, and shows itself as an inventory.
"""

from datetime import UTC, datetime
from pathlib import Path

from blueprints import catalogue
from blueprints.compiling import compile_platform
from blueprints.platform_file import from_text
from fournines.model import references
from fournines.model.inventory import (
    DEAD_STATUSES,
    Flavor,
    FloatingIp,
    Image,
    Instance,
    Inventory,
    Listener,
    LoadBalancer,
    Member,
    Network,
    Pool,
    Port,
    Quota,
    SecurityGroup,
    ServerGroup,
    Volume,
)
from fournines.planning.graph import ordered
from fournines.planning.pools import gets_requests

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONES = ("az1", "az2", "az3")
IMAGES = (Image(id="i1", name="debian-12", min_disk_gb=1, min_ram_mb=128),)
FLAVORS = (
    Flavor(id="f1", name="m1.tiny", vcpus=1, ram_mb=256, disk_gb=1),
    Flavor(id="f2", name="m1.small", vcpus=2, ram_mb=512, disk_gb=2),
)
PLENTY = Quota(
    instances=1000,
    cores=-1,
    ram_mb=-1,
    volumes=1000,
    volume_gb=-1,
    floating_ips=50,
    networks=10,
    routers=10,
    security_groups=100,
    load_balancers=50,
)
CATALOGUE = catalogue.all_blueprints()
EXAMPLE = Path(__file__).parents[2] / "examples" / "shop.yaml"

TEMPLATE = """\
platform: demo
defaults: {zones: [az1, az2, az3]}
services:
"""


def a_platform(*, volume_size_gb=None, min_healthy=None, **services):
    """
    A platform of web services, each given by its parameters.
    """
    lines = [TEMPLATE if services else TEMPLATE.replace("services:\n", "")]
    for name, parameters in services.items():
        lines.append(f"  {name}:\n    blueprint: web\n    parameters:\n")
        lines += [f"      {key}: {value}\n" for key, value in parameters.items()]
        if not parameters:
            lines[-1] = lines[-1].replace("    parameters:\n", "")
        if min_healthy is not None:
            lines.append(f"    healing: {{min_healthy: {min_healthy}}}\n")
    platform = compile_platform(from_text("".join(lines)), CATALOGUE)
    return with_groups(platform, volume_size_gb=volume_size_gb)


def with_groups(platform, **changes):
    """
    The same platform, its groups changed.
    """
    services = tuple(
        s.model_copy(
            update={"groups": tuple(g.model_copy(update=changes) for g in s.groups)}
        )
        for s in platform.services
    )
    return platform.model_copy(update={"services": services})


class World:
    """
    Resources by kind and name.
    """

    def __init__(self) -> None:
        self.networks, self.security_groups, self.server_groups = {}, {}, {}
        self.volumes, self.instances, self.balancers = {}, {}, {}
        self.floating_ips, self.ports, self.strangers = {}, {}, []
        self.zones = ZONES
        self.platform = "demo"
        self._count = 0

    def inventory(self):
        """What is, now."""
        return Inventory(
            at=NOW,
            platform=self.platform,
            zones=self.zones,
            images=IMAGES,
            flavors=FLAVORS,
            networks=tuple(self.networks.values()),
            security_groups=tuple(self.security_groups.values()),
            server_groups=tuple(self.server_groups.values()),
            volumes=tuple(self.volumes.values()),
            instances=tuple(self.instances.values()),
            load_balancers=tuple(self.balancers.values()),
            floating_ips=tuple(self.floating_ips.values()),
            ports=tuple(self.ports.values()),
            strangers=tuple(self.strangers),
        )

    def perform(self, plan, order=None, watch=lambda: None):
        """Do every step, in an order the graph allows."""
        for step in order or ordered(plan.steps):
            getattr(self, "_" + step.kind.replace("-", "_"))(step)
            watch()
        return self

    def live(self, group="web"):
        """The names of a group's instances that can serve."""
        return {
            i.name
            for i in self.instances.values()
            if i.owner.group == group and i.status not in DEAD_STATUSES
        }

    def serving(self, pool):
        """The members of a pool that get requests and can answer them."""
        found = self._pool(pool)
        if found is None:
            return set()
        live = {n for n, i in self.instances.items() if i.status not in DEAD_STATUSES}
        return {m.name for m in found.members if gets_requests(m)} & live

    def change(self, name, **changes):
        """Something happens to an instance."""
        self.instances[name] = self.instances[name].model_copy(update=changes)

    def lose(self, name):
        """Somebody deletes an instance behind our back; its members stay."""
        del self.instances[name]

    def set_member(self, pool, name, **changes):
        """Something happens to a member."""
        found = self._pool(pool)
        self.put_pool(
            found.model_copy(
                update={
                    "members": tuple(
                        m.model_copy(update=changes) if m.name == name else m
                        for m in found.members
                    )
                }
            )
        )

    def _id(self, kind):
        self._count += 1
        return f"{kind}-{self._count}"

    def _pool(self, name):
        for balancer in self.balancers.values():
            if balancer.pool(name):
                return balancer.pool(name)
        return None

    def put_pool(self, pool):
        """A pool as it is from now on."""
        for name, balancer in self.balancers.items():
            if balancer.pool(pool.name):
                pools = tuple(
                    pool if p.name == pool.name else p for p in balancer.pools
                )
                self.balancers[name] = balancer.model_copy(update={"pools": pools})

    def _ensure_network(self, step):
        spec = step.spec
        self.networks[spec.name] = Network(
            id=self._id("network"),
            name=spec.name,
            owner=spec.owner,
            subnet_id="subnet",
            router_id="router",
            cidr=spec.cidr or "10.0.0.0/24",
        )

    def _ensure_security_group(self, step):
        self.security_groups[step.spec.name] = SecurityGroup(
            id=self._id("guard"), name=step.spec.name, owner=step.spec.owner
        )

    def _ensure_server_group(self, step):
        self.server_groups[step.spec.name] = ServerGroup(
            id=self._id("spread"),
            name=step.spec.name,
            owner=step.spec.owner,
            policy=step.spec.policy,
        )

    def _ensure_volume(self, step):
        spec = step.spec
        self.volumes[spec.name] = Volume(
            id=self._id("volume"),
            name=spec.name,
            owner=spec.owner,
            status="available",
            size_gb=spec.size_gb,
            zone=spec.zone,
        )

    def _ensure_port(self, step):
        spec = step.spec
        assert spec.network in self.networks
        assert all(g in self.security_groups for g in spec.security_groups)
        self._count += 1
        self.ports.setdefault(
            spec.name,
            Port(
                id=self._id("port"),
                name=spec.name,
                owner=spec.owner,
                address=f"10.1.{self._count // 250}.{self._count % 250}",
            ),
        )

    def _attach(self, port, instance):
        """A port has one instance at a time, as in Neutron."""
        users = {p.attached_to for p in self.ports.values() if p.name == port}
        there = {i.id for i in self.instances.values()}
        assert not users & there, f"{port} is in use"
        found = self.ports[port].model_copy(update={"attached_to": instance})
        self.ports[port] = found
        return found.address

    def _ensure_instance(self, step):
        spec = step.spec
        if spec.name in self.instances:  # half-built: it is finished
            self.change(spec.name, status="ACTIVE")
            self._take_volumes(spec, self.instances[spec.name].id)
            return
        assert spec.network in self.networks
        assert all(g in self.security_groups for g in spec.security_groups)
        assert spec.server_group is None or spec.server_group in self.server_groups
        assert all(v in self.volumes for v in spec.volumes)
        self._count += 1
        number = self._id("instance")
        address = f"10.0.{self._count // 250}.{self._count % 250}"
        if spec.port:
            address = self._attach(spec.port, number)
        self.instances[spec.name] = Instance(
            id=number,
            name=spec.name,
            owner=spec.owner,
            status="ACTIVE",
            zone=spec.zone or ZONES[0],
            address=address,
            holds_key=references.is_confidential(spec.user_data),
            image=spec.image,
            flavor=spec.flavor,
        )
        self._take_volumes(spec, number)

    def _take_volumes(self, spec, holder):
        """Volumes go to whoever is made with them, from whoever has them."""
        for name in spec.volumes:
            volume = self.volumes[name]
            self.volumes[name] = volume.model_copy(update={"attached_to": holder})

    def _ensure_load_balancer(self, step):
        spec = step.spec
        assert spec.network in self.networks
        before = self.balancers.get(spec.name)
        kept = {p.name: p for p in before.pools} if before else {}
        self.balancers[spec.name] = LoadBalancer(
            id=before.id if before else self._id("lb"),
            name=spec.name,
            owner=spec.owner,
            provisioning_status="ACTIVE",
            operating_status="ONLINE",
            vip_address="10.0.0.9",
            vip_port_id=f"vip-{spec.name}",
            listeners=tuple(
                Listener(
                    id=f"l-{x.name}", name=x.name, protocol=x.protocol, port=x.port
                )
                for x in spec.listeners
            ),
            pools=tuple(
                kept.get(p.name, Pool(id=f"p-{p.name}", name=p.name))
                for p in spec.pools
            ),
        )

    def _ensure_floating_ip(self, step):
        balancer = self.balancers[step.spec.load_balancer]
        self.floating_ips[step.spec.name] = FloatingIp(
            id=self._id("address"),
            name=step.spec.name,
            owner=step.spec.owner,
            address="203.0.113.5",
            port_id=balancer.vip_port_id,
        )

    def _join_pool(self, step):
        pool = self._pool(step.pool)
        joining = {m.instance: m for m in step.members}
        others = tuple(m for m in pool.members if m.name not in joining)
        new = tuple(
            Member(
                id=self._id("member"),
                name=name,
                address=self.instances[name].address,
                port=member.port,
                weight=member.weight,
                operating_status="ONLINE",
            )
            for name, member in joining.items()
        )
        self.put_pool(pool.model_copy(update={"members": others + new}))

    def _await_serving(self, step):
        assert set(step.instances) <= self.serving(step.pool)

    def _set_weight(self, step):
        assert self._pool(step.pool).member(step.instance).weight == step.weight_before
        self.set_member(step.pool, step.instance, weight=step.weight)

    def _drain(self, step):
        pass

    def _leave_pool(self, step):
        pool = self._pool(step.pool)
        stay = tuple(m for m in pool.members if m.name not in step.instances)
        self.put_pool(pool.model_copy(update={"members": stay}))

    def _withdraw_key(self, step):
        self.change(step.instance, holds_key=False)

    def _delete_instance(self, step):
        for balancer in self.balancers.values():
            assert not any(p.member(step.instance) for p in balancer.pools)
        del self.instances[step.instance]

    def _delete_resource(self, step):
        kinds = {
            "volume": self.volumes,
            "load-balancer": self.balancers,
            "floating-ip": self.floating_ips,
            "port": self.ports,
            "security-group": self.security_groups,
            "server-group": self.server_groups,
            "network": self.networks,
        }
        if step.resource in {"security-group", "server-group"}:
            owner = kinds[step.resource][step.name].owner
            assert not any(
                (i.owner.service, i.owner.group) == (owner.service, owner.group)
                for i in self.instances.values()
            )
        if step.resource == "port":
            there = {i.id for i in self.instances.values()}
            assert self.ports[step.name].attached_to not in there
        if step.resource == "network":
            assert not self.instances
            assert not self.ports
            assert not self.balancers
        del kinds[step.resource][step.name]
