"""
What can be known before the first create: images, flavors, zones, hosts' sizes, quotas. Pure.

Summed over everything the deploy would make, at the moment it has most: missing instances and the surge of a roll.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from blueprints.diff import plan_platform
from blueprints.observed import Observed
from blueprints.problem import did_you_mean
from blueprints.slot import is_dead
from fournines.model import names
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Flavor, Inventory, Quota
from fournines.model.refusal import Reason, Refusal
from fournines.model.specification import VolumeSpec
from fournines.planning.plan import Plan
from fournines.planning.steps import (
    EnsureFloatingIp,
    EnsureInstance,
    EnsureLoadBalancer,
    EnsureNetwork,
    EnsureSecurityGroup,
    EnsureServerGroup,
    EnsureVolume,
)

UNLIMITED = -1


def check(
    desired: Platform,
    inventory: Inventory,
    quota: Quota,
    recipes: Collection[str] = (),
) -> tuple[Refusal, ...]:
    """
    Why deploying would fail, one sentence each; empty when nothing is known against it.

    Args:
        desired: The platform, with those services that are to be deployed.
        inventory: What is, with the images, flavors and zones there are.
        quota: What the project may still make.
        recipes: Names of images that can be baked.
    """
    plan = plan_platform(desired, inventory)
    makes = {
        (step.spec.owner.service, step.spec.owner.group)
        for step in plan.steps
        if isinstance(step, EnsureInstance)
    }
    missing = [
        refusal
        for service in desired.services
        for group in service.groups
        if (service.name, group.name) in makes
        for refusal in _group_refusals(service, group, inventory, recipes)
    ]
    if missing:
        return tuple(missing)
    return tuple(_quota_refusals(desired, inventory, plan, quota))


def room_for(plan: Plan, inventory: Inventory, quota: Quota) -> tuple[Refusal, ...]:
    """
    Why the instances and volumes that a plan makes would not fit into the project's quota, next to all there is.
    """
    flavors = {f.name: f for f in inventory.flavors}
    there = {i.name for i in inventory.instances} | {v.name for v in inventory.volumes}
    made = [
        flavors[step.spec.flavor]
        for step in plan.steps
        if isinstance(step, EnsureInstance)
        and step.spec.name not in there
        and step.spec.flavor in flavors
    ]
    volumes = [
        step.spec
        for step in plan.steps
        if isinstance(step, EnsureVolume) and step.spec.name not in there
    ]
    found = (
        need.refusal(plan.platform) for need in _of_instances(made, volumes, quota)
    )
    return tuple(refusal for refusal in found if refusal is not None)


def _of_instances(
    made: Sequence[Flavor], volumes: Sequence[VolumeSpec], quota: Quota
) -> tuple[_Need, ...]:
    return (
        _Need("instances", len(made), quota.instances),
        _Need("cores", sum(f.vcpus for f in made), quota.cores),
        _Need("MB of memory", sum(f.ram_mb for f in made), quota.ram_mb),
        _Need("volumes", len(volumes), quota.volumes),
        _Need("GB of volumes", sum(v.size_gb for v in volumes), quota.volume_gb),
    )


def _group_refusals(
    service: Service, group: Group, inventory: Inventory, recipes: Collection[str]
) -> Iterator[Refusal]:
    subject = names.of_service(service.platform, service.name, group.name)
    images = {i.name: i for i in inventory.images if i.status == "active"}
    flavors = {f.name: f for f in inventory.flavors}
    image, flavor = images.get(group.image), flavors.get(group.flavor)
    if image is None:
        yield Refusal(
            reason=Reason.MISSING,
            subject=subject,
            detail=f"{service.name}: {_missing_image(group.image, images, recipes)}",
        )
    if flavor is None:
        yield Refusal(
            reason=Reason.MISSING,
            subject=subject,
            detail=f"there is no flavor {group.flavor!r}"
            f"{did_you_mean(group.flavor, flavors)}",
        )
    for zone in group.zones:
        if inventory.zones and zone not in inventory.zones:
            yield Refusal(
                reason=Reason.MISSING,
                subject=subject,
                detail=f"no zone {zone!r} takes instances"
                f"{did_you_mean(zone, inventory.zones)}",
            )
    if image is None or flavor is None:
        return
    for word, needed, given, unit in (
        ("disk", image.min_disk_gb, flavor.disk_gb, "GB"),
        ("memory", image.min_ram_mb, flavor.ram_mb, "MB"),
    ):
        if needed > given:
            yield Refusal(
                reason=Reason.CAPACITY,
                subject=subject,
                detail=f"image {image.name!r} needs {needed} {unit} of {word} and flavor "
                f"{flavor.name!r} has {given}; choose a larger flavor",
            )


def _missing_image(name: str, images: Collection[str], recipes: Collection[str]) -> str:
    if name in recipes:
        return f"image {name!r} has not been baked yet; a deploy bakes it first, and so does: fournines bake {name}"
    hint = did_you_mean(name, {*images, *recipes})
    end = "" if hint.endswith("?") else ";"
    return f"there is no image {name!r}{hint}{end} `fournines image list` shows those that are baked"


@dataclass(frozen=True, slots=True)
class _Need:
    noun: str
    wanted: int
    left: int

    def refusal(self, platform: str) -> Refusal | None:
        if self.left == UNLIMITED or self.wanted <= max(self.left, 0):
            return None
        return Refusal(
            reason=Reason.QUOTA,
            subject=platform,
            detail=f"{self.wanted} {self.noun} are to be made and the project's quota "
            f"leaves {max(self.left, 0)}; raise the quota or ask for less",
        )


def _quota_refusals(
    desired: Platform, inventory: Inventory, plan: Plan, quota: Quota
) -> Iterator[Refusal]:
    flavors = {f.name: f for f in inventory.flavors}
    made = _flavors_at_peak(desired, Observed(inventory), plan, flavors)
    volumes = [s.spec for s in plan.steps if isinstance(s, EnsureVolume)]
    networks = _count(plan, EnsureNetwork)
    known = {b.name for b in inventory.load_balancers}
    balancers = sum(
        1
        for step in plan.steps
        if isinstance(step, EnsureLoadBalancer) and step.spec.name not in known
    )
    guards = {g.name for g in inventory.security_groups}
    new_guards = sum(
        1
        for step in plan.steps
        if isinstance(step, EnsureSecurityGroup) and step.spec.name not in guards
    )
    needs = (
        *_of_instances(made, volumes, quota),
        _Need("floating IPs", _count(plan, EnsureFloatingIp), quota.floating_ips),
        _Need("networks", networks, quota.networks),
        _Need("routers", networks, quota.routers),
        _Need("security groups", new_guards, quota.security_groups),
        _Need("load balancers", balancers, quota.load_balancers),
        _Need("server groups", _count(plan, EnsureServerGroup), quota.server_groups),
    )
    for need in needs:
        refusal = need.refusal(desired.name)
        if refusal is not None:
            yield refusal


def _count(plan: Plan, kind: type) -> int:
    return sum(1 for step in plan.steps if isinstance(step, kind))


def _flavors_at_peak(
    desired: Platform, observed: Observed, plan: Plan, flavors: dict[str, Flavor]
) -> Sequence[Flavor]:
    """
    The flavor of each instance that exists at the peak and does not exist now.

    Instances in slots that are empty all exist at once; those that follow a living one come `surge` at a time.
    """
    following: dict[tuple[str, str], int] = {}
    found: list[Flavor] = []
    limit = {
        (service.name, group.name): 0 if group.hands_over else group.surge
        for service in desired.services
        for group in service.groups
    }
    for step in plan.steps:
        if not isinstance(step, EnsureInstance):
            continue
        owner = step.spec.owner
        key = (owner.service or "", owner.group or "")
        rivals = [i for i in observed.slot(*key, owner.slot) if not is_dead(i)]
        if any(i.name == step.spec.name for i in rivals):
            continue  # half-built: it is counted already
        if rivals:
            following[key] = following.get(key, 0) + 1
            if following[key] > limit.get(key, 0):
                continue
        found.append(flavors[step.spec.flavor])
    return found
