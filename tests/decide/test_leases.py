"""
Leases, and what is refused to whoever lost one: in memory, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fournines.store.protocol import LeaseHeld, StepState
from fournines.store.sql import SqlStore, open_store
from tests.decide.stored_values import NOW, a_case, a_plan


def take(store, holder, name="demo/shop"):
    """
    A lease for thirty seconds.
    """
    return store.leases.acquire(name, holder=holder, purpose="deploy", ttl_seconds=30)


def test_a_lease_is_held_by_one(store, clock):
    """
    A second taker is refused by name until the lease ends; fencing grows with each new holder only.
    """
    taken = take(store, "a")
    with pytest.raises(LeaseHeld, match="a holds it for deploy until 12:00:30"):
        take(store, "b")
    clock.advance(20)
    assert take(store, "a").fencing == taken.fencing
    assert store.leases.in_force() == (store.leases.current("demo/shop"),)
    clock.advance(30)
    assert store.leases.current("demo/shop") is None
    assert store.leases.in_force() == ()
    stolen = take(store, "b")
    assert stolen.fencing == taken.fencing + 1

    store.leases.release(taken)
    assert store.leases.current("demo/shop") == stolen
    store.leases.release(stolen)
    assert store.leases.current("demo/shop") is None
    assert take(store, "c").fencing == stolen.fencing + 1


def test_a_lease_is_renewed_until_somebody_else_had_it(store, clock):
    """
    One that ran out may still be renewed; one that was taken meanwhile may not, even when it was given back.
    """
    lease = take(store, "a")
    clock.advance(40)
    renewed = store.leases.renew(lease, ttl_seconds=30)
    assert renewed.expires_at == clock.now() + timedelta(seconds=30)
    assert renewed.fencing == lease.fencing
    clock.advance(40)
    store.leases.release(take(store, "b"))
    with pytest.raises(LeaseHeld, match="somebody else has taken it"):
        store.leases.renew(lease, ttl_seconds=30)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(
            lambda store, rights: store.journal.open_plan(
                a_plan(), holder="a", at=NOW, rights=rights
            ),
            id="open-plan",
        ),
        pytest.param(
            lambda store, rights: store.journal.intend(
                "known", "drain/a", "drain", at=NOW, rights=rights
            ),
            id="intend",
        ),
        pytest.param(
            lambda store, rights: store.journal.finish(
                "known", "drain/b", StepState.DONE, at=NOW, rights=rights
            ),
            id="finish",
        ),
        pytest.param(
            lambda store, rights: store.journal.close_plan(
                "known", outcome="done", at=NOW, rights=rights
            ),
            id="close-plan",
        ),
        pytest.param(
            lambda store, rights: store.cases.put(a_case(), rights=rights), id="case"
        ),
    ],
)
def test_a_write_on_a_lost_lease_is_refused(store, clock, write):
    """
    Whoever was stopped for longer than its lease lives writes nothing when it wakes; the holder's own writes go on.
    """
    store.journal.open_plan(a_plan(plan_id="known"), holder="a", at=NOW)
    store.journal.intend("known", "drain/b", "drain", at=NOW)
    before = store.journal.entries("known"), store.journal.unfinished()
    old = take(store, "a")
    clock.advance(31)
    new = take(store, "b")
    with pytest.raises(LeaseHeld, match="was lost"):
        write(store, [old])
    assert (store.journal.entries("known"), store.journal.unfinished()) == before
    assert store.cases.cases() == ()
    write(store, [new])


def test_of_many_takers_one_wins(store):
    """
    Eight takers of a new lease at once: one gets it.
    """

    def take(number: int) -> bool:
        try:
            store.leases.acquire("x", holder=f"h{number}", purpose="p", ttl_seconds=30)
        except LeaseHeld:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_leases_expire_by_the_databases_own_clock(url):
    """
    Without a clock of ours the database's counts: a lease of an hour holds, one of nothing does not.
    """
    _expires_by_its_own_clock(open_store(url))


@pytest.mark.postgresql
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_leases_expire_by_the_servers_clock(url):
    """
    The same on a server.
    """
    _expires_by_its_own_clock(open_store(url))


def _expires_by_its_own_clock(store: SqlStore) -> None:
    held = store.leases.acquire("x", holder="a", purpose="p", ttl_seconds=3600)
    store.leases.acquire("y", holder="a", purpose="p", ttl_seconds=0)
    assert store.leases.in_force() == (held,)
    assert held.expires_at.tzinfo is not None
    store.close()
