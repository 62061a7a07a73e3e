"""
The store's promises about pauses, quarantines and approvals, in memory, on SQLite and on PostgreSQL.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from fournines.model.approval import Approval, ApprovalState
from fournines.model.case import Subject
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine, Strike
from tests.decide.stored_values import NOW

SLOT = Subject(platform="demo", service="shop", group="web", slot=1)


def a_request(case_id: str = "case-1", **known) -> Approval:
    """
    A request that waits.
    """
    return Approval(
        case_id=case_id,
        subject=SLOT,
        digest="d1",
        reasons=("a volume is deleted",),
        steps=("delete-volume/demo-shop-web-1",),
        asked_at=NOW,
        deadline_at=NOW + timedelta(minutes=30),
        **known,
    )


def test_pauses_are_kept_replaced_and_lifted(store):
    """
    One pause per place; a second one replaces the first, and lifting tells what was lifted.
    """
    first = Pause(subject=SLOT, by="ann", at=NOW)
    second = first.model_copy(update={"why": "disk swap", "until": NOW})
    store.pauses.put(first)
    store.pauses.put(second)
    instance = Pause(
        subject=SLOT.model_copy(update={"instance": "demo-shop-web-1-g1"}),
        by="bob",
        at=NOW,
    )
    store.pauses.put(instance)

    assert store.pauses.all() == (instance, second)
    assert store.pauses.lift("demo/shop/web/1") == second
    assert store.pauses.lift("demo/shop/web/1") is None
    assert store.pauses.all() == (instance,)


def test_quarantines_are_kept_and_released(store):
    """
    Strikes are remembered until the build is released.
    """
    build = Quarantine(digest="d", image="debian-12", image_id="i1")
    struck = build.struck(Strike(instance="a", case="c", at=NOW))
    store.quarantines.put(build)
    store.quarantines.put(struck)

    assert store.quarantines.all() == (struck,)
    store.quarantines.release(struck.key)
    assert store.quarantines.all() == ()


def test_the_first_answer_counts(store):
    """
    Of many answers given at once exactly one is taken, and a decided request waits no more.
    """
    store.approvals.ask(a_request())
    assert store.approvals.waiting() == (a_request(),)

    def answer(number: int) -> Approval | None:
        return store.approvals.decide(
            "case-1", ApprovalState.APPROVED, by=f"p{number}", why="", at=NOW
        )

    with ThreadPoolExecutor(8) as pool:
        taken = [found for found in pool.map(answer, range(8)) if found]

    assert len(taken) == 1
    assert store.approvals.of("case-1") == taken[0]
    assert store.approvals.waiting() == ()
    assert answer(9) is None
    assert (
        store.approvals.decide("case-2", ApprovalState.REJECTED, by="x", why="", at=NOW)
        is None
    )


def test_a_case_asks_anew(store):
    """
    A changed plan replaces the case's request, and a subject's history is found by its key.
    """
    store.approvals.ask(a_request())
    changed = a_request().model_copy(
        update={"digest": "d2", "asked_at": NOW + timedelta(seconds=9)}
    )
    store.approvals.ask(changed)
    other = a_request("case-2")
    store.approvals.ask(other)

    assert store.approvals.about("demo/shop/web/1", since=NOW) == (changed, other)
    assert store.approvals.about("demo/shop/web/1", since=changed.asked_at) == (
        changed,
    )
    assert store.approvals.about("demo/shop/web/2", since=NOW) == ()
