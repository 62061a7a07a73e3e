"""
Deterministic names: the same place in a platform always has the same name, so a create can look before it makes.
"""

from __future__ import annotations

import re

NAME_PATTERN = r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"
"""Platform, service and group names: joined with slot and generation they stay a legal host name (63 characters)."""

BAKE = "fournines-bake"
"""Whose a bake's builder, network and prover are: what nobody else's platform may be called."""

_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """
    Whether a platform, service or group may be called so.
    """
    return _NAME.match(text) is not None


def shared(platform: str, noun: str) -> str:
    """
    What all services of a platform share: `demo-network`.
    """
    return f"{platform}-{noun}"


def of_service(platform: str, service: str, noun: str) -> str:
    """
    A resource of a service: `demo-shop-lb`, `demo-shop-web` (a group's security group, server group, pool).
    """
    return f"{platform}-{service}-{noun}"


def slot(platform: str, service: str, group: str, number: int) -> str:
    """
    A place in a group: `demo-shop-web-2`. Volumes carry this name, since they outlive generations.
    """
    return f"{platform}-{service}-{group}-{number}"


def instance(platform: str, service: str, group: str, number: int, gen: int) -> str:
    """
    The n-th instance in a slot: `demo-shop-web-2-g1`. It is also its member's name.
    """
    return f"{slot(platform, service, group, number)}-g{gen}"
