"""
What Patroni and etcd say, put together to one view of the cluster. Pure.

Patroni speaks for the data: who leads, who follows how far behind, whom commits wait for. etcd speaks for the votes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fournines.model.cluster import (
    ClusterMember,
    ClusterView,
    Role,
    Standing,
    majority,
)

LAG_BYTES_MAX = 1 << 20
"""A replica this near has caught up: under load the primary is always a little ahead of what it last heard."""

_RUNNING = frozenset({"running", "streaming"})
_STARTING = frozenset(
    {
        "starting",
        "restarting",
        "creating replica",
        "initializing new cluster",
        "running custom bootstrap script",
        "starting after custom bootstrap",
        "in archive recovery",
    }
)
_SYNC = "sync_standby"
_ROLES = {
    "leader": Role.PRIMARY,
    _SYNC: Role.REPLICA,
    "replica": Role.REPLICA,
}


@dataclass(frozen=True, slots=True)
class Place:
    """
    A slot as the cloud has it, and whether nobody listens where its clients come in.
    """

    instance: str | None
    address: str | None
    pooler_refuses: bool = False


@dataclass(frozen=True, slots=True)
class Votes:
    """
    What etcd says. `members` are the voters by name, None when nobody could be asked; `healthy` those that vote now.
    """

    members: tuple[str, ...] | None = None
    healthy: frozenset[str] = field(default_factory=frozenset)


def view(
    where: tuple[str, str, str],
    at: datetime,
    slots: Mapping[str, Place],
    patroni: Mapping[str, Any],
    votes: Votes,
    *,
    voters: int,
    synchronous: bool,
) -> ClusterView:
    """
    The cluster at one moment.

    Args:
        where: Platform, service, group.
        at: When the reading ended.
        slots: The slots there should be, and those that still have an instance.
        patroni: What Patroni answers at /cluster.
        votes: What etcd says.
        voters: How many there should be: the first of the slots.
        synchronous: Whether commits wait for a second member.
    """
    said = {m["name"]: m for m in patroni.get("members", ())}
    leader = next((n for n, m in said.items() if m.get("role") == "leader"), None)
    electors = votes.members
    if electors is None:
        electors = tuple(slots)[:voters]
    names = dict.fromkeys((*slots, *said, *electors))
    timeline = said[leader].get("timeline") if leader else None
    members = tuple(
        _member(
            name,
            slots.get(name, Place(None, None)),
            said.get(name),
            timeline=timeline,
            is_voter=name in electors,
            votes=name in votes.healthy,
        )
        for name in names
    )
    return ClusterView(
        platform=where[0],
        service=where[1],
        group=where[2],
        at=at,
        members=members,
        voters=len(electors),
        quorum=majority(len(electors)),
        leader=leader,
        problems=tuple(_problems(patroni, members, synchronous=synchronous)),
    )


def _member(
    name: str,
    place: Place,
    said: Mapping[str, Any] | None,
    *,
    timeline: int | None,
    is_voter: bool,
    votes: bool,
) -> ClusterMember:
    role = _ROLES.get(str(said.get("role")), Role.UNKNOWN) if said else Role.UNKNOWN
    state = _standing(said, counted=is_voter)
    lag = said.get("lag") if said else None
    lag_bytes = lag if isinstance(lag, int) else None
    shut = state is Standing.RUNNING and place.pooler_refuses
    return ClusterMember(
        slot_name=name,
        instance=place.instance,
        address=place.address,
        role=role,
        state=state,
        lag_bytes=lag_bytes,
        in_sync=state is Standing.RUNNING and _has_all(said, role, lag_bytes, timeline),
        is_heir=said is not None and said.get("role") == _SYNC,
        is_voter=is_voter,
        votes=votes,
        waits_for_restart=bool(said and said.get("pending_restart")),
        shut="its pooler refuses connections" if shut else "",
        detail=_detail(said),
    )


def _standing(said: Mapping[str, Any] | None, *, counted: bool) -> Standing:
    if said is None:
        return Standing.STOPPED if counted else Standing.ABSENT
    if said.get("state") in _RUNNING:
        return Standing.RUNNING
    return Standing.STARTING if said.get("state") in _STARTING else Standing.STOPPED


def _has_all(
    said: Mapping[str, Any] | None,
    role: Role,
    lag_bytes: int | None,
    timeline: int | None,
) -> bool:
    """
    Whether nothing that was acknowledged is missing, as far as can be seen; of the sync standby Patroni itself sees to it.
    """
    if said is None or role is Role.UNKNOWN:
        return False
    if role is Role.PRIMARY:
        return True
    return (
        timeline is not None
        and said.get("timeline") == timeline
        and lag_bytes is not None
        and lag_bytes <= LAG_BYTES_MAX
    )


def _detail(said: Mapping[str, Any] | None) -> str:
    if said is None:
        return ""
    if said.get("state") not in _RUNNING:
        return str(said.get("state"))
    return "sync standby" if said.get("role") == _SYNC else ""


def _problems(
    patroni: Mapping[str, Any], members: Iterable[ClusterMember], *, synchronous: bool
) -> Iterator[str]:
    every = tuple(members)
    if patroni.get("pause"):
        yield "Patroni is paused: nobody follows a primary that fails"
    if not any(m.role is Role.PRIMARY for m in every):
        yield "no member takes writes"
    elif synchronous and len(every) > 1 and not any(m.is_heir for m in every):
        yield "no member is in sync: writes wait"
    for said in patroni.get("members", ()):
        if said.get("pending_restart"):
            yield f"{said['name']} waits for a restart to take its settings"
