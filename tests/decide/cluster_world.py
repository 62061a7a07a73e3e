"""
Views of a small cluster, one word changed at a time.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fournines.model.cluster import (
    ClusterMember,
    ClusterView,
    Role,
    Standing,
    majority,
)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
A, B, C, D, E = (f"demo-db-pg-{n}" for n in range(5))


def a_member(slot: str, **changes) -> ClusterMember:
    """
    A replica that is well.
    """
    return ClusterMember(
        slot_name=slot,
        instance=f"{slot}-g1",
        address=f"10.0.0.{10 + int(slot[-1])}",
        role=Role.REPLICA,
        state=Standing.RUNNING,
        lag_bytes=0,
        in_sync=True,
        votes=True,
    ).model_copy(update=changes)


def dead(slot: str) -> ClusterMember:
    """
    A member that does not answer and is still counted.
    """
    return a_member(
        slot, state=Standing.STOPPED, in_sync=False, votes=False, lag_bytes=None
    )


def behind(slot: str, lag_bytes: int = 1_000) -> ClusterMember:
    """
    A member that runs and votes, and has not everything yet.
    """
    return a_member(slot, in_sync=False, lag_bytes=lag_bytes)


def a_view(*members: ClusterMember, leader: str | None = A, **changes) -> ClusterView:
    """
    The view of these members (three that are well when none is given); the leader is the primary.
    """
    chosen = members or tuple(a_member(slot) for slot in (A, B, C))
    chosen = tuple(
        m.model_copy(update={"role": Role.PRIMARY}) if m.slot_name == leader else m
        for m in chosen
    )
    voters = sum(m.is_voter for m in chosen)
    return ClusterView(
        platform="demo",
        service="db",
        group="pg",
        at=NOW,
        members=chosen,
        voters=voters,
        quorum=majority(voters),
        leader=leader,
    ).model_copy(update=changes)
