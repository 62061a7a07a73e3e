"""
What a stateful service says of itself: its members, who leads, how far each is behind, and how many must agree. A dated value.

It is read by an operator (tasks/operators) from the service's own API and handed to deciding code. Nothing in it is a guess: what nobody
could say is None or UNKNOWN, and a view that could not be read does not exist.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from fournines.model.value import Value


class Role(StrEnum):
    """
    What a member does in its cluster.
    """

    PRIMARY = "primary"
    """It takes the writes; there is one."""
    REPLICA = "replica"
    """It follows the primary."""
    PEER = "peer"
    """All alike: a cluster whose members take turns at leading (a queue here, a queue there)."""
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """
    How a member is.
    """

    RUNNING = "running"
    STARTING = "starting"
    """It is on its way: cloning, catching up, rewinding."""
    STOPPED = "stopped"
    """The cluster counts it as a member, and it does not answer."""
    ABSENT = "absent"
    """There is a slot for it, and the cluster does not know it."""


class ClusterMember(Value):
    """
    One member, by its slot: an instance is followed by another, the member stays.

    Attributes:
        slot_name: `demo-db-pg-0`, which is also what the member calls itself.
        instance: The instance in that slot, when there is one.
        lag_bytes: How far it is behind the primary; None where it does not apply or nobody could say.
        in_sync: It has all that was acknowledged: it could take over now and nothing would be lost. True for peers that are caught up.
        is_heir: It would be let follow the primary now: the one (or one of those) that every acknowledged write waits for.
        is_voter: The consensus below counts it.
        votes: It answers as a voter now.
        waits_for_restart: It has settings that it takes only when its server is restarted.
        shut: Why clients get nowhere with it although it runs, as "its pooler refuses connections"; empty: they do, or nobody can say.
        detail: A word from the service, for people.
    """

    slot_name: str
    instance: str | None = None
    address: str | None = None
    role: Role = Role.UNKNOWN
    state: Standing = Standing.ABSENT
    lag_bytes: int | None = None
    in_sync: bool = False
    is_heir: bool = False
    is_voter: bool = True
    votes: bool = False
    waits_for_restart: bool = False
    shut: str = ""
    detail: str = ""

    @property
    def running(self) -> bool:
        """
        It does its work now.
        """
        return self.state is Standing.RUNNING

    @property
    def settled(self) -> bool:
        """
        It does its work, has all that was acknowledged, votes where it should, and lets clients in.
        """
        votes = self.votes or not self.is_voter
        return self.running and self.in_sync and votes and not self.shut


class ClusterView(Value):
    """
    One cluster at one moment.

    Attributes:
        at: When the reading ended.
        members: One for each slot, and one for whatever else the cluster counts as a member, by slot's name.
        voters: How many the consensus counts, dead ones included.
        quorum: How many votes it takes.
        leader: The slot of the primary (or of the consensus' leader, among peers); None: there is none, or nobody knows one.
        problems: What the service itself complains of, one sentence each.
        split: In which way members contradict each other on who belongs to the cluster or leads it; empty when they agree.
    """

    platform: str
    service: str
    group: str
    at: datetime
    members: tuple[ClusterMember, ...] = ()
    voters: int = 0
    quorum: int = 0
    leader: str | None = None
    problems: tuple[str, ...] = ()
    split: str = ""

    def member(self, slot_name: str) -> ClusterMember | None:
        """
        The member of a slot, or None when neither a slot nor the cluster knows it.
        """
        return next((m for m in self.members if m.slot_name == slot_name), None)

    def is_alone(self, slot: str) -> bool:
        """
        Whether the service has this member and no other.
        """
        return {member.slot_name for member in self.members} == {slot}

    def without_voter(self, slot_name: str) -> ClusterView:
        """
        As it is once a member is counted no more, though it may still run.
        """
        member = self.member(slot_name)
        voters = self.voters - bool(member and member.is_voter)
        return self.model_copy(update={"voters": voters, "quorum": majority(voters)})

    def votes_without(self, slot_name: str | None) -> int:
        """
        The votes that are there when one slot's is not.
        """
        return sum(m.votes for m in self.members if m.slot_name != slot_name)

    @property
    def votes(self) -> int:
        """
        The votes that are there.
        """
        return self.votes_without(None)

    @property
    def has_quorum(self) -> bool:
        """
        Whether it can decide anything now.
        """
        return self.quorum > 0 and self.votes >= self.quorum


def majority(voters: int) -> int:
    """
    How many votes it takes among so many.
    """
    return voters // 2 + 1 if voters else 0
