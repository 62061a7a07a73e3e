"""
Forgetting, the same in every store: what is over and old goes, everything else stays.
"""

from datetime import timedelta

from fournines.model.case import CaseState
from fournines.store.protocol import StepState
from tests.decide.stored_values import NOW, a_case, a_plan, an_alert

LATER = NOW + timedelta(days=1)


def test_only_ended_cases_go(store):
    """
    An open case is somebody's work, however old it is.
    """
    store.cases.put(a_case("case-1", CaseState.RECOVERED))
    store.cases.put(a_case("case-2"))

    assert store.cases.forget(NOW) == 0
    assert store.cases.forget(LATER) == 1
    assert [case.id for case in store.cases.cases()] == ["case-2"]


def test_only_closed_plans_go(store):
    """
    With their entries; an open plan is taken up by somebody, and can be opened and closed as before.
    """
    for plan_id in ("closed", "open"):
        store.journal.open_plan(a_plan(plan_id=plan_id), holder="h", at=NOW)
        store.journal.intend(plan_id, "drain/a", "drain", at=NOW)
        store.journal.finish(plan_id, "drain/a", StepState.DONE, at=NOW)
    store.journal.close_plan("closed", outcome="done", at=NOW)

    assert store.journal.forget(LATER) == 1
    assert store.journal.plan("closed") is None
    assert store.journal.entries("closed") == ()
    assert [plan.id for plan in store.journal.unfinished()] == ["open"]
    store.journal.open_plan(a_plan(plan_id="next"), holder="h", at=LATER)
    store.journal.close_plan("open", outcome="done", at=LATER)
    assert [plan.id for plan in store.journal.unfinished()] == ["next"]


def test_alerts_without_a_case_and_firing_ones_stay(store):
    """
    Resolved ones go first; who fires on goes when it is much older; who waits for a case never does.
    """
    alerts = [an_alert("waits"), an_alert("fires"), an_alert("over", "resolved")]
    store.inbox.put(alerts)
    store.inbox.assign(["fires", "over"], "case-1")

    assert store.inbox.forget(NOW, firing_before=NOW) == 0
    assert store.inbox.forget(LATER, firing_before=NOW) == 1
    assert len(store.inbox.firing("demo", "shop")) == 2
    assert store.inbox.forget(LATER, firing_before=LATER) == 1
    assert [r.key for r in store.inbox.firing("demo", "shop")] == ["waits"]
    assert [r.key for r in store.inbox.pending()] == ["waits"]
