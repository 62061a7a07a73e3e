"""
Resources of others that stand under a name of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fournines.model import names
from fournines.model.desired import Platform, Service
from fournines.model.inventory import Inventory
from fournines.model.refusal import Reason, Refusal

_STRANGER = re.compile(r"(?P<kind>.+) (?P<name>\S+) \((?P<id>[^()]*)\)")
"""How an inventory writes them: "kind name (id)"."""


def in_the_way(
    desired: Platform, services: Sequence[Service], inventory: Inventory
) -> tuple[Refusal, ...]:
    """
    A refusal for each stranger that bears a name these services (or their network) need.
    """
    wanted = set(_fixed_names(desired, services))
    stems = [
        names.of_service(desired.name, service.name, group.name)
        for service in services
        for group in service.groups
    ]
    slots = re.compile(rf"(?:{'|'.join(map(re.escape, stems))})-\d+(?:-g\d+)?")
    return tuple(
        Refusal(
            reason=Reason.NAME_TAKEN,
            subject=match["name"],
            detail=f"the {match['kind']} {match['name']} ({match['id']}) is not ours; "
            "rename or remove it, or choose another name for the platform or service",
        )
        for stranger in inventory.strangers
        if (match := _STRANGER.fullmatch(stranger))
        and (match["name"] in wanted or (stems and slots.fullmatch(match["name"])))
    )


def _fixed_names(desired: Platform, services: Sequence[Service]) -> Iterator[str]:
    yield desired.network.name
    for service in services:
        yield from (spec.name for spec in service.load_balancers)
        yield from (spec.name for spec in service.floating_ips)
        for group in service.groups:
            if group.security_group:
                yield group.security_group.name
            if group.server_group:
                yield group.server_group.name
