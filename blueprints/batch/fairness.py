"""
Fair share between tenants: whoever used less than its share goes first within a queue. Pure.

The formula is Slurm's classic one, F = 2 ** (-U / S) (https://slurm.schedmd.com/classic_fair_share.html): S is a tenant's part of all shares, U its
part of all usage, and usage is CPU seconds that count half after each half-life. F is 1 for who used nothing, a half for who used just its share.
Slurm's own needs a database of accounts; here usage is counted from what Slurm says of its tasks, which it remembers for half an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pydantic import Field, JsonValue

from blueprints.batch.reading import Record, Stage
from fournines.model.value import Value

TOP = 1_000_000
"""The priority of who used nothing; nobody falls below 1, since Slurm holds a job of priority 0 for ever."""

STEP = TOP // 1_000
"""What a priority may be off before it is set anew: each costs a request."""

FORGOTTEN = 1e-3
"""CPU seconds below which faded usage is none: else what one tenant used months ago would for ever set it behind one that used nothing."""

CHANGES_MAX = 100
"""At one look. Those that would begin first come first, the rest has time until the next look."""


class Sharing(Value):
    """
    What a service's owner gives to whom.
    """

    tenants: dict[str, int] = Field(default_factory=dict)
    usage_half_life_hours: int = 168

    @classmethod
    def of(cls, parameters: Mapping[str, JsonValue]) -> Sharing:
        """
        Of a batch service, by its parameters.
        """
        known = {k: parameters[k] for k in cls.model_fields if k in parameters}
        return cls.model_validate(known)

    @property
    def is_asked_for(self) -> bool:
        """
        Whether there is anybody to share with.
        """
        return len(self.tenants) > 1


class Usage(Value):
    """
    CPU seconds by tenant up to a moment, in seconds since 1970, the older ones counted less.
    """

    at: float
    seconds: dict[str, float] = Field(default_factory=dict)


class Change(Value):
    """
    A job that should have another priority.
    """

    number: int
    priority: int


def used(
    before: Usage, records: Iterable[Record], now: float, sharing: Sharing
) -> Usage:
    """
    Usage up to now: what there was has faded, what tasks took since is added. Said twice for the same time, it is counted once.
    """
    if now <= before.at:
        return before
    half_life = timedelta(hours=sharing.usage_half_life_hours).total_seconds()
    fade = 2.0 ** (-(now - before.at) / half_life)
    faded = {tenant: s * fade for tenant, s in before.seconds.items()}
    seconds = {tenant: s for tenant, s in faded.items() if s >= FORGOTTEN}
    for one in records:
        end = now if one.stage is Stage.RUNNING else min(one.ended_at, now)
        took = max(end - max(one.began_at, before.at), 0.0) * one.cpus
        if one.stage is not Stage.WAITING and one.began_at and one.tenant and took:
            seconds[one.tenant] = seconds.get(one.tenant, 0.0) + took
    return Usage(at=now, seconds=seconds)


def factor(tenant: str, usage: Usage, sharing: Sharing) -> float:
    """
    Between 0 and 1: the higher, the sooner its turn. Of what tenants used that have no share any more nothing is counted.
    """
    mine = sharing.tenants.get(tenant, 0)
    if not mine:
        return 0.0
    all_used = sum(usage.seconds.get(name, 0.0) for name in sharing.tenants)
    if not all_used:
        return 1.0
    # U / S with its divisions in this order: of two tenants the one with less for each share never comes later by a rounding.
    need = usage.seconds.get(tenant, 0.0) / mine
    return float(2.0 ** -(need * (sum(sharing.tenants.values()) / all_used)))


def priority(tenant: str, usage: Usage, sharing: Sharing) -> int:
    """
    Slurm's number for it; of equal ones the first submitted begins first.
    """
    return max(round(TOP * factor(tenant, usage, sharing)), 1)


def changes(
    records: Iterable[Record], usage: Usage, sharing: Sharing
) -> tuple[Change, ...]:
    """
    What waits and should have another priority, what would begin first first.
    """
    waiting = [one for one in records if one.stage is Stage.WAITING and one.job]
    found: list[Change] = []
    for one in sorted(waiting, key=lambda one: (-one.priority, one.number)):
        right = priority(one.tenant, usage, sharing)
        if abs(right - one.priority) >= STEP:
            found.append(Change(number=one.number, priority=right))
    return tuple(found[:CHANGES_MAX])
