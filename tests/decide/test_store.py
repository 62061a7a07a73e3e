"""
The store's promises, in memory, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fournines.model.case import CaseState
from fournines.planning.plan import Purpose
from fournines.store.protocol import StepState, StoreError
from tests.decide.stored_values import (
    NOW,
    a_case,
    a_plan,
    a_platform,
    a_service,
    an_alert,
)


def test_a_platform_comes_back_as_it_was_put(store):
    """
    The registry returns services in their order, and one service may be replaced alone.
    """
    platform = a_platform(a_service("shop"), a_service("admin"))
    store.registry.put_platform(platform, at=NOW)
    assert store.registry.platform("demo") == platform

    store.registry.put_service(a_service("admin", count=5), at=NOW)
    found = store.registry.platform("demo")
    assert [s.name for s in found.services] == ["shop", "admin"]
    assert found.service("admin").groups[0].count == 5

    store.registry.remove_service("demo", "shop")
    assert [s.name for s in store.registry.platforms()[0].services] == ["admin"]
    store.registry.remove_platform("demo")
    assert store.registry.platform("demo") is None


def test_resources_are_remembered_until_forgotten(store):
    """
    What was made is listed once, with its newest id, until it is forgotten.
    """
    for cloud_id in ("1", "2"):
        store.registry.record_resource("demo", "instance", "a", cloud_id, at=NOW)
    assert store.registry.resources("demo") == (("instance", "a", "2"),)
    store.registry.forget_resource("demo", "instance", "a")
    assert store.registry.resources("demo") == ()


def test_an_interrupted_plan_is_adopted_with_its_entries(store):
    """
    Opening a plan that was never closed keeps what is done of it.
    """
    plan = a_plan()
    store.journal.open_plan(plan, holder="one", at=NOW)
    store.journal.intend(plan.id, "drain/a", "drain", at=NOW)
    assert store.journal.unfinished() == (plan,)

    store.journal.open_plan(plan, holder="two", at=NOW)
    (entry,) = store.journal.entries(plan.id)
    assert entry.state is StepState.INTENDED

    store.journal.finish(plan.id, "drain/a", StepState.DONE, at=NOW, result={"id": "7"})
    (entry,) = store.journal.entries(plan.id)
    assert (entry.state, entry.ended_at, entry.result) == (
        StepState.DONE,
        NOW,
        {"id": "7"},
    )


def test_a_closed_plan_opened_again_begins_afresh(store):
    """
    The same plan months later does nothing by what was done the first time.
    """
    plan = a_plan()
    store.journal.open_plan(plan, holder="one", at=NOW)
    store.journal.intend(plan.id, "drain/a", "drain", at=NOW)
    store.journal.finish(plan.id, "drain/a", StepState.DONE, at=NOW)
    store.journal.close_plan(plan.id, outcome="done", at=NOW)
    assert store.journal.unfinished() == ()

    store.journal.open_plan(plan, holder="one", at=NOW)
    assert store.journal.entries(plan.id) == ()
    assert store.journal.plan(plan.id) == plan
    assert store.journal.plan("other") is None


def test_a_result_without_an_intent_is_refused(store):
    """
    Nothing ends in the journal that was not intended there.
    """
    store.journal.open_plan(a_plan(), holder="one", at=NOW)
    with pytest.raises(StoreError, match="without ever being intended"):
        store.journal.finish("deploy-shop-1", "drain/a", StepState.DONE, at=NOW)


def test_history_counts_every_healing_run(store):
    """
    The same healing plan run twice counts twice; deploys and old runs do not count.
    """
    heal = a_plan(Purpose.HEAL, "heal-1")
    for minute in (-30, 0, 1):
        at = NOW + timedelta(minutes=minute)
        store.journal.open_plan(heal, holder="one", at=at)
        store.journal.close_plan(heal.id, outcome="done", at=at)
    store.journal.open_plan(a_plan(), holder="one", at=NOW)
    assert store.journal.history("demo", "shop", since=NOW) == (heal, heal)


def test_how_long_steps_took_is_told_newest_first(store):
    """
    By kind; what failed, or has not ended, took no time that anybody should count on.
    """
    took = {"roll-1": 4.0, "roll-2": 9.0}
    for number, (plan_id, seconds) in enumerate(took.items()):
        begin = NOW + timedelta(minutes=number)
        end = begin + timedelta(seconds=seconds)
        store.journal.open_plan(a_plan(plan_id=plan_id), holder="h", at=begin)
        for step in ("await/a", "await/b", "await/c"):
            store.journal.intend(plan_id, step, "await-member", at=begin)
        store.journal.finish(plan_id, "await/a", StepState.DONE, at=end)
        store.journal.finish(plan_id, "await/b", StepState.FAILED, at=end)
    store.journal.intend("roll-2", "drain/a", "drain", at=NOW)
    store.journal.finish("roll-2", "drain/a", StepState.DONE, at=NOW)

    assert store.journal.step_seconds() == {"await-member": (9.0, 4.0), "drain": (0.0,)}


def test_the_inbox_knows_what_is_news(store):
    """
    An alert is news when it first comes and when it is resolved, however often either is sent.
    """
    firing, resolved = an_alert(), an_alert(status="resolved")
    assert store.inbox.put([firing, firing]) == (firing,)
    assert store.inbox.put([firing]) == ()
    assert store.inbox.firing("demo", "shop") == (firing,)
    assert store.inbox.put([resolved]) == (resolved,)
    assert store.inbox.put([firing, resolved]) == ()
    assert store.inbox.firing("demo", "shop") == ()
    assert store.inbox.put([]) == ()


def test_resolved_before_firing_stays_resolved(store):
    """
    When the resolution overtakes its alert, the alert does not come alive afterwards.
    """
    store.inbox.put([an_alert(status="resolved")])
    assert store.inbox.put([an_alert()]) == ()
    assert store.inbox.firing("demo", "shop") == ()


def test_pending_alerts_wait_for_a_case(store):
    """
    Alerts are pending, oldest first, until a case takes them; their resolution keeps the case.
    """
    store.inbox.put([an_alert(key) for key in ("b", "a", "c")])
    assert [a.key for a in store.inbox.pending()] == ["b", "a", "c"]
    assert [a.key for a in store.inbox.pending(1)] == ["b"]
    store.inbox.assign(["b", "a"], "case-1")
    store.inbox.assign([], "case-1")
    assert [a.key for a in store.inbox.pending()] == ["c"]
    assert store.inbox.firing("demo", "shop")[0].case_id == "case-1"
    store.inbox.put([an_alert("b", "resolved")])
    assert [a.key for a in store.inbox.pending()] == ["c"]


def test_cases_by_state_and_age(store):
    """
    Cases come newest first and may be asked for by service, openness and age.
    """
    old = a_case("case-0", CaseState.RECOVERED).model_copy(
        update={"opened_at": NOW - timedelta(hours=1)}
    )
    store.cases.put(old)
    store.cases.put(a_case())
    assert [c.id for c in store.cases.cases()] == ["case-1", "case-0"]
    assert [c.id for c in store.cases.cases(open_only=True)] == ["case-1"]
    assert [c.id for c in store.cases.cases(since=NOW)] == ["case-1"]
    assert [c.id for c in store.cases.cases(limit=1)] == ["case-1"]
    assert store.cases.cases(service="other") == ()
    assert len(store.cases.cases(key="demo/shop/web/1")) == 2
    assert store.cases.cases(key="demo/shop/web/2") == ()
    assert store.cases.open_for("demo/shop/web/1") == a_case()
    assert store.cases.case("case-0") == old

    store.cases.put(a_case(state=CaseState.RECOVERED))
    assert store.cases.open_for("demo/shop/web/1") is None
    assert store.cases.case("none") is None


def test_a_subject_has_one_open_case(store):
    """
    The database refuses a second open case of the same subject.
    """
    store.cases.put(a_case("case-1"))
    with pytest.raises(StoreError, match="recording case case-2"):
        store.cases.put(a_case("case-2"))


def test_switches_are_on_until_switched_off(store):
    """
    A switch nobody touched is on; a change says who, when and why.
    """
    assert store.switches.is_on("healing")
    assert store.switches.why("healing") == ""
    store.switches.set("healing", on=False, by="ann", why="game day", at=NOW)
    assert not store.switches.is_on("healing")
    assert "off by ann at 2026-05-01 12:00:00 UTC: game day" in store.switches.why(
        "healing"
    )
    store.switches.set("healing", on=True, by="ann", why="", at=NOW)
    assert store.switches.is_on("healing")


def test_many_threads_write_at_once(store):
    """
    Sixteen threads writing together neither fail nor lose a write.
    """
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(
                lambda n: store.inbox.put([an_alert(f"k{n}")]),
                range(100),
            )
        )
    assert len(store.inbox.pending(1000)) == 100


def test_moments_need_a_zone(store):
    """
    A naive moment is refused rather than guessed.
    """
    with pytest.raises(StoreError, match="needs its zone"):
        store.registry.record_resource(
            "demo", "instance", "a", "1", at=NOW.replace(tzinfo=None)
        )
