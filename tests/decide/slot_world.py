"""
A group of four members in three zones, as brakes, ladder and planner look at it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from fournines.model.case import Subject
from fournines.model.desired import Group, HealingLimits, Membership, Platform, Service
from fournines.model.inventory import Instance, Inventory, LoadBalancer, Member, Pool
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec
from healing.situation import Attempt, MemberView, Situation

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMITS = HealingLimits(min_healthy=2)
ZONES = ("az1", "az2", "az3")


def name(slot: int, generation: int = 1) -> str:
    """
    An instance's name.
    """
    return f"demo-shop-web-{slot}-g{generation}"


def an_instance(slot: int, *, generation: int = 1, zone: str = "az1", **known: Any):
    """
    An instance of the group, ours and ACTIVE unless said otherwise.
    """
    facts = {"status": "ACTIVE", "locked": False} | known
    owner = Owner(
        platform="demo", service="shop", group="web", slot=slot, generation=generation
    )
    return Instance(
        id=f"id-{slot}-{generation}",
        name=name(slot, generation),
        owner=facts.pop("owner", owner),
        zone=zone,
        **facts,
    )


def a_situation(
    *,
    unwell: int = 1,
    size: int = 4,
    weight: int = 0,
    instances: tuple[Instance, ...] | None = None,
    limits: HealingLimits = LIMITS,
    volume_size_gb: int | None = None,
    subject_slot: int = 0,
    windows: tuple[MaintenanceWindow, ...] = (),
    **known: Any,
) -> Situation:
    """
    The world of a slot: a group of `size`, its first `unwell` members sick, the first one drained (`weight` 0).
    """
    place = Membership(load_balancer="demo-shop-lb", pool="demo-shop-web", port=8080)
    group = Group(
        name="web",
        count=size,
        image="debian-12",
        flavor="m1.tiny",
        network="demo-network",
        zones=ZONES,
        memberships=(place,),
        healing=limits,
        volume_size_gb=volume_size_gb,
    )
    service = Service(
        platform="demo",
        name="shop",
        blueprint="web",
        blueprint_version="1",
        groups=(group,),
        maintenance=windows,
    )
    owner = Owner(platform="demo")
    platform = Platform(
        name="demo",
        network=NetworkSpec(name="demo-network", owner=owner),
        services=(service,),
    )
    if instances is None:
        instances = tuple(
            an_instance(slot, zone=ZONES[slot % 3]) for slot in range(size)
        )
    weights = [weight, *[1] * (size - 1)]
    members = tuple(
        Member(
            id=f"m{slot}",
            name=name(slot),
            address=f"10.0.0.{slot}",
            port=8080,
            weight=weights[slot],
            operating_status="ONLINE",
        )
        for slot in range(size)
    )
    balancer = LoadBalancer(
        id="lb",
        name="demo-shop-lb",
        owner=owner,
        provisioning_status="ACTIVE",
        operating_status="ONLINE",
        pools=(Pool(id="pool", name="demo-shop-web", members=members),),
    )
    inventory = Inventory(
        at=NOW,
        platform="demo",
        zones=ZONES,
        instances=instances,
        load_balancers=(balancer,),
    )
    views = tuple(
        MemberView(
            instance=member.name,
            weight=member.weight,
            well=slot >= unwell,
            serving=slot >= unwell and member.weight > 0,
        )
        for slot, member in enumerate(members)
    )
    inventory = known.pop("inventory", inventory)
    subject = Subject(
        platform="demo",
        service="shop",
        group="web",
        slot=subject_slot,
        instance=name(subject_slot),
    )
    facts = {"members": views, "instance": inventory.instance(name(subject_slot))}
    return Situation(
        now=NOW,
        subject=subject,
        platform=platform,
        service=service,
        group=group,
        inventory=inventory,
        **(facts | known),
    )


def attempt(seconds_ago: float) -> Attempt:
    """
    An earlier healing of the slot that ended so long ago.
    """
    ended = NOW - timedelta(seconds=seconds_ago)
    return Attempt(opened_at=ended - timedelta(seconds=8), ended_at=ended)
