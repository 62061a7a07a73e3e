"""
Three slots of a stateful service with ports and instances, as an operator is given them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fournines.model import names
from fournines.model.desired import Group, Service
from fournines.model.inventory import Instance, Inventory, Port
from fournines.model.ownership import Owner
from tasks.operators import Cluster
from tasks.operators.access import Access

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ADDRESSES = ("10.0.0.10", "10.0.0.11", "10.0.0.12")


def slot(number: int) -> str:
    """
    A slot's name.
    """
    return names.slot("demo", "svc", "nodes", number)


def cluster(
    blueprint: str, *, count: int = 3, gone: tuple[int, ...] = (), **parameters
) -> Cluster:
    """
    The slots; those in `gone` have a port and no instance.
    """
    group = Group(
        name="nodes",
        identity="ordinal",
        count=count,
        image="i",
        flavor="f",
        network="n",
    )
    service = Service(
        platform="demo",
        name="svc",
        blueprint=blueprint,
        blueprint_version="1.0.0",
        groups=(group,),
        parameters=parameters,
    )
    owners = [
        Owner(platform="demo", service="svc", group="nodes", slot=n, generation=1)
        for n in range(len(ADDRESSES))
    ]
    ports = tuple(
        Port(id=f"p{n}", name=slot(n), owner=owners[n], address=ADDRESSES[n])
        for n in range(count)
    )
    instances = tuple(
        Instance(
            id=f"i{n}",
            name=f"{slot(n)}-g1",
            owner=owners[n],
            status="ACTIVE",
            address=ADDRESSES[n],
        )
        for n in range(count)
        if n not in gone
    )
    inventory = Inventory(platform="demo", at=NOW, instances=instances, ports=ports)
    return Cluster(service, group, inventory)


def access(ca: str = "") -> Access:
    """
    Secrets that are their own names.
    """
    return Access(
        ca=ca,
        secret=lambda name: f"{name}-secret",
        logins=lambda user: {f"{user}.a": f"{user}.a-secret"},
    )
