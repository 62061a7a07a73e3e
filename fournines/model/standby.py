"""
Pools by role: a database's primary answers one check, its replicas another. Who answers either is well.

Octavia calls every member that does not answer a check ERROR. In a pool of one role that is how members of the others look, for ever; read
literally, a healthy replica would be sick.
"""

from __future__ import annotations

from collections.abc import Sequence

from fournines.model.inventory import Member, Pool

STANDBY = "STANDBY"
"""Our word, beside Octavia's, for a member that does not answer in this role and does in another."""

_ANSWERS = frozenset({"ONLINE"})
_SILENT = frozenset({"ERROR"})


def standing_by(pools: Sequence[Pool]) -> tuple[Pool, ...]:
    """
    One load balancer's pools, those members called STANDBY that answer in another role.
    """
    answering = {
        (pool.role, member.name)
        for pool in pools
        if pool.role is not None
        for member in pool.members
        if member.operating_status in _ANSWERS
    }
    well = {name for _, name in answering}
    return tuple(_read(pool, well) if pool.role is not None else pool for pool in pools)


def _read(pool: Pool, well: set[str]) -> Pool:
    members = tuple(_named(member, well) for member in pool.members)
    return pool.model_copy(update={"members": members})


def _named(member: Member, well: set[str]) -> Member:
    if member.operating_status in _SILENT and member.name in well:
        return member.model_copy(update={"operating_status": STANDBY})
    return member
