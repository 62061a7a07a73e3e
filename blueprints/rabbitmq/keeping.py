"""
What is kept of a message bus, how often, and what of it can be brought back. Pure.

Definitions are vhosts, exchanges, queues, bindings and policies, those that applications declared for themselves among them. Messages are not.
Users are not brought back either: they are the service's parameters and the platform's secrets, and a password of last month would lock people out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fournines.model.objects import StoredObject
from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value

BLUEPRINT = "rabbitmq"
FOLDER = "definitions/"
PARTS = ("vhosts", "policies", "parameters", "exchanges", "queues", "bindings")
"""In this order RabbitMQ itself would make them."""

PLATFORMS_OWN = "/"
"""The vhost in which the platform tries the bus: it sees to that itself."""

_AT = "%Y-%m-%d %H:%M:%S UTC"


class Policy(Value):
    """
    How often definitions are taken, and how many of them are kept.
    """

    enabled: bool = True
    every_hours: int = 24
    kept: int = 30


class Kept(Value):
    """
    The definitions of one moment.

    Attributes:
        name: Of the object.
    """

    name: str
    at: datetime
    size_bytes: int

    @property
    def label(self) -> str:
        """
        What people call it.
        """
        return f"{self.at:%Y%m%d-%H%M%S}"


def policy_of(blueprint: str, parameters: Mapping[str, Any]) -> Policy | None:
    """
    None: the service is no bus, or wants no backups.
    """
    if blueprint != BLUEPRINT:
        return None
    found = Policy.model_validate(parameters.get("backups") or {})
    return found if found.enabled else None


def kept(objects: Iterable[StoredObject]) -> tuple[Kept, ...]:
    """
    What there is, the oldest first.
    """
    found = (
        Kept(name=one.name, at=one.at, size_bytes=one.size_bytes) for one in objects
    )
    return tuple(sorted(found, key=lambda one: one.at))


def is_due(policy: Policy, there: Sequence[Kept], now: datetime) -> bool:
    """
    Whether definitions are to be taken now.
    """
    return not there or now - there[-1].at >= timedelta(hours=policy.every_hours)


def place(policy: Policy, there: Sequence[Kept]) -> str:
    """
    The object to write: a free one while there are few, else the oldest one's.
    """
    taken = {one.name for one in there}
    every = [f"{FOLDER}{number:04d}.json" for number in range(policy.kept)]
    free = [name for name in every if name not in taken]
    oldest = [one.name for one in there if one.name in every]
    return free[0] if free else oldest[0]


def chosen(
    service: str,
    there: Sequence[Kept],
    now: datetime,
    *,
    to: datetime | None = None,
    label: str | None = None,
) -> Kept | Refusal:
    """
    The newest definitions of a moment or before it (the newest of all without a moment), or those of that label.
    """
    if not there:
        said = (
            f"nothing is kept of {service} yet; take it now: fournines backup {service}"
        )
    elif to is not None and to > now:
        said = f"{to.strftime(_AT)} is in the future, now is {now.strftime(_AT)}; name a moment that has passed, or none"
    elif label is not None and label not in {one.label for one in there}:
        said = f"{service} has no backup {label}; the newest is {there[-1].label}, see fournines backups {service}"
    else:
        fit = [
            one
            for one in there
            if label in {None, one.label} and (to is None or one.at <= to)
        ]
        if fit:
            return fit[-1]
        said = f"{(to or now).strftime(_AT)} is before the first definitions that are kept, {there[0].at.strftime(_AT)}; name a later moment"
    return Refusal(reason=Reason.MISSING, subject=service, detail=said)


def importable(definitions: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """
    What of an export is brought back: nothing of the platform's own, nobody's password.
    """
    return {
        part: [
            one
            for one in definitions.get(part) or ()
            if one.get("name" if part == "vhosts" else "vhost") != PLATFORMS_OWN
        ]
        for part in PARTS
    }
