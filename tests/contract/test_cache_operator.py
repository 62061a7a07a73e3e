"""
The cache's operator over lines to three Redis and three Sentinels, as they behave.
"""

from __future__ import annotations

import hashlib
from typing import Self

import pytest

from blueprints.cache.lifecycle import CacheRules
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.cluster import Role, Standing
from tasks.operators import ClusterRefused, ClusterSilent
from tasks.operators.cache import PAUSE_MS, CacheOperator
from tests.contract.members import ADDRESSES, access, cluster, slot

RULES = CacheRules()
A, B, C = ADDRESSES


class Redises:
    """
    Three members; each Sentinel follows whom it was told to.
    """

    def __init__(self) -> None:
        self.primary = A
        self.silent: set[str] = set()
        self.masters: set[str] = set()
        self.follows = dict.fromkeys(ADDRESSES, A)
        self.known = {a: set(ADDRESSES) - {a} for a in ADDRESSES}
        self.offsets = dict.fromkeys(ADDRESSES, 1_000)
        self.links = dict.fromkeys(ADDRESSES, "up")
        self.said: list[tuple[str, ...]] = []
        self.can_choose = True
        self.digests = {a: {"0" * 64} for a in ADDRESSES}

    def line(self, _access, address: str, port: int):
        """A line to a member's Redis or Sentinel."""
        return OneLine(self, address, is_sentinel=port == 26379)

    def fail_over(self) -> None:
        """The Sentinels choose the next member that answers."""
        if not self.can_choose:
            raise ClusterRefused(
                "telling", "NOGOODSLAVE No suitable replica to promote"
            )
        heirs = [a for a in ADDRESSES if a not in {self.primary, *self.silent}]
        self.primary = heirs[0]
        for address in set(ADDRESSES) - self.silent:
            self.follows[address] = heirs[0]


class OneLine:
    """
    One line.
    """

    def __init__(self, world: Redises, address: str, *, is_sentinel: bool) -> None:
        self.world, self.address, self.is_sentinel = world, address, is_sentinel

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        return None

    def info(self):
        """Redis' own words."""
        world, address = self.world, self.address
        if address in world.silent:
            raise ClusterSilent("asking", "no answer")
        if address == world.primary or address in world.masters:
            others = [a for a in ADDRESSES if a != address and a not in world.silent]
            replicas = {
                f"slave{n}": {"ip": a, "offset": world.offsets[a]}
                for n, a in enumerate(others)
            }
            return {
                "role": "master",
                "loading": 0,
                "master_repl_offset": world.offsets[address],
                "min_slaves_good_slaves": len(others),
                "slave_read_repl_offset": 0,
                **replicas,
            }
        return {
            "role": "slave",
            "loading": 0,
            "master_link_status": world.links[address],
            "slave_repl_offset": world.offsets[address],
        }

    def say(self, *words: str):
        """A Sentinel's or a Redis' answer."""
        world = self.world
        if self.address in world.silent:
            raise ClusterSilent("telling", "no answer")
        match words:
            case ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", _):
                return [world.follows[self.address], "6379"]
            case ("SENTINEL", "SENTINELS" | "REPLICAS", _):
                return [{"ip": a} for a in sorted(world.known[self.address])]
            case ("SENTINEL", "FAILOVER", _):
                world.fail_over()
            case ("ACL", "GETUSER", _):
                kept = sorted(world.digests[self.address])
                return {"flags": ["on"], "passwords": kept, "commands": "+@all"}
            case ("ACL", "SETUSER", "default", word):
                world.digests[self.address].add(word.removeprefix("#"))
            case ("SENTINEL", "RESET", _):
                world.known[self.address] = set(ADDRESSES) - {
                    self.address,
                    *world.silent,
                }
        world.said.append((self.address, *words))
        return "OK"


@pytest.fixture
def redises() -> Redises:
    """Three members that are well; the first leads."""
    return Redises()


@pytest.fixture
def operator(redises) -> CacheOperator:
    """The operator, with time of its own."""
    return CacheOperator(lambda _: access(), VirtualClock(), connect=redises.line)


def test_a_cache_that_is_well(redises, operator):
    """
    Whom the Sentinels name leads, the others follow, all vote and have caught up.
    """
    view = operator.view(cluster("cache"))

    assert [m.role for m in view.members] == [Role.PRIMARY, Role.REPLICA, Role.REPLICA]
    assert (view.voters, view.quorum, view.votes, view.leader) == (3, 2, 3, slot(0))
    assert [RULES.is_settled(view, slot(n)) for n in range(3)] == ["", "", ""]
    assert view.problems == ()


def test_one_that_takes_itself_for_the_primary_is_not_believed(redises, operator):
    """
    A thawed primary is a member of unknown role that does not vote with the others.
    """
    redises.fail_over()
    redises.primary = A
    redises.follows[A] = A
    view = operator.view(cluster("cache"))

    assert view.leader == slot(1)
    member = view.member(slot(0))
    assert (member.role, member.votes, member.in_sync) == (Role.UNKNOWN, False, False)
    assert member.detail == f"its Sentinel follows {A}"


def test_two_that_take_themselves_for_the_primary_are_a_split(redises, operator):
    """
    Whomever the Sentinels name: what they each take is one cluster's data no more.
    """
    redises.masters = {A, B}
    view = operator.view(cluster("cache"))

    assert view.split == (
        f"{slot(0)} and {slot(1)} each take themselves for the primary of svc"
    )
    redises.silent = {B}
    assert operator.view(cluster("cache")).split == ""


def test_a_replica_that_lags_has_not_caught_up(redises, operator):
    """
    Bytes behind the primary are told; more than a megabyte is not in sync, and without its primary a replica is starting.
    """
    redises.offsets = {A: 9_000_000, B: 9_000_000, C: 1_000_000}
    redises.links[B] = "down"
    view = operator.view(cluster("cache"))

    assert (view.member(slot(2)).lag_bytes, view.member(slot(2)).in_sync) == (
        8_000_000,
        False,
    )
    assert view.member(slot(1)).state is Standing.STARTING
    assert RULES.is_settled(view, slot(1)) == (
        f"{slot(1)} is starting (it does not reach its primary)"
    )


def test_nobody_leads_when_the_sentinels_do_not_agree(redises, operator):
    """
    One Sentinel's word is no majority: the view has no leader and says so.
    """
    redises.silent = {A, B}
    view = operator.view(cluster("cache"))

    assert view.leader is None
    assert view.voters == 3
    assert not view.has_quorum
    assert view.problems == ("no majority of the Sentinels agrees on a primary",)


def test_leaving_hands_over_with_writes_held(redises, operator):
    """
    Writes wait until a replica has all of them, then another leads; one that does not lead just goes; twice is nothing.
    """
    here = cluster("cache")
    operator.leave(here, slot(0), deadline_seconds=30)
    operator.leave(here, slot(0), deadline_seconds=30)
    operator.leave(here, slot(2), deadline_seconds=30)

    assert operator.view(here).leader == slot(1)
    assert redises.said == [
        (A, "CLIENT", "PAUSE", str(PAUSE_MS), "WRITE"),
        (B, "SENTINEL", "FAILOVER", "primary"),
    ]


def test_a_primary_without_an_heir_is_refused(redises, operator):
    """
    The Sentinels say no, and so does the operator.
    """
    redises.can_choose = False

    with pytest.raises(ClusterRefused, match="NOGOODSLAVE"):
        operator.leave(cluster("cache"), slot(0), deadline_seconds=30)


def test_who_is_gone_for_ever_is_forgotten(redises, operator):
    """
    Sentinels that still know the removed member are reset, one after the other; twice is nothing.
    """
    redises.silent = {C}
    here = cluster("cache", count=2)
    operator.remove(here, slot(2))
    operator.remove(here, slot(2))

    assert redises.said == [
        (A, "SENTINEL", "RESET", "primary"),
        (B, "SENTINEL", "RESET", "primary"),
    ]


def test_refused_writes_are_a_problem(redises, operator):
    """
    With fewer replicas than a write asks for, the cache refuses writes and the view says so.
    """
    redises.silent = {B, C}
    redises.known = {a: set() for a in ADDRESSES}

    view = operator.view(cluster("cache", replicas_to_write=1))
    assert view.problems == ("writes are refused: 0 replicas keep up, and 1 must",)


def test_nobody_answers(redises, operator):
    """
    With nobody to ask there is an error, never an empty view.
    """
    redises.silent = set(ADDRESSES)

    with pytest.raises(ClusterSilent):
        operator.view(cluster("cache"))


def test_a_new_password_is_taken_beside_the_old(redises, operator):
    """
    Members that run let in with both until they are rolled; the clear one stands in no command, and one that is silent is left for later.
    """
    here = cluster("cache")
    redises.silent.add(C)
    assert [c.said for c in operator.drift(here)] == [
        f"{slot(0)} lets clients in with the password of the store",
        f"{slot(1)} lets clients in with the password of the store",
    ]
    operator.apply(here)

    new = hashlib.sha256(b"password-secret").hexdigest()
    assert redises.digests[A] == redises.digests[B] == {"0" * 64, new}
    assert "password-secret" not in str(redises.said)
    assert operator.drift(here) == ()
    redises.silent.clear()
    assert len(operator.drift(here)) == 1
