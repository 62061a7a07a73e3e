"""
Which edition of secrets and certificates a group's instances should carry: a new one makes those with an older one outdated. Pure.

The first edition is not written down, so that a platform is the same before and after its first secrets are made.
"""

from __future__ import annotations

from collections.abc import Mapping

from fournines.model import references
from fournines.model.desired import Group, Platform
from fournines.model.references import Kind

TRUST = "@trust"
"""Under which name the store counts the editions of what instances trust: the authority, and the one that comes after it."""


def counter(service: str) -> str:
    """
    Under which name the store counts the editions of a service's certificates.
    """
    return f"@edition/{service}"


def with_editions(desired: Platform, versions: Mapping[str, int]) -> Platform:
    """
    The platform with the editions in force. `versions` are those of the store's secrets, by name.
    """
    services = tuple(
        service.model_copy(
            update={
                "groups": tuple(
                    group.model_copy(
                        update={"editions": _editions(service.name, group, versions)}
                    )
                    for group in service.groups
                )
            }
        )
        for service in desired.services
    )
    return desired.model_copy(update={"services": services})


def certified(group: Group) -> bool:
    """
    Whether a group's instances carry certificates.
    """
    kinds = {one.kind for one in references.found(group.user_data)}
    return bool(kinds & {Kind.CERTIFICATE, Kind.PRIVATE_KEY})


def trusting(group: Group) -> bool:
    """
    Whether a group's instances are told whom to trust.
    """
    return any(one.kind is Kind.CA for one in references.found(group.user_data))


def _editions(service: str, group: Group, versions: Mapping[str, int]) -> str:
    found = {
        name: versions[name]
        for name in references.secrets(group.user_data)
        if versions.get(name, 1) > 1
    }
    if certified(group) and counter(service) in versions:
        found["certificates"] = versions[counter(service)]
    if trusting(group) and TRUST in versions:
        found["authorities"] = versions[TRUST]
    return " ".join(f"{name}={number}" for name, number in sorted(found.items()))
