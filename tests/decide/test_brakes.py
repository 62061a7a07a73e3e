"""
The brakes' tables, and the first action's table and law.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.case import Subject
from fournines.model.desired import HealingLimits
from fournines.model.inventory import Member
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.ownership import Owner
from fournines.model.pause import Pause
from fournines.model.refusal import Reason, Refusal
from healing import brakes, first_action
from healing.first_action import WeightZero
from tests.decide.slot_world import NOW, a_situation, an_instance, attempt, name

PAUSE = Pause(subject=Subject(platform="demo", service="shop"), by="ann", at=NOW)
OTHERS_PAUSE = Pause(
    subject=Subject(platform="demo", service="shop", group="web", slot=1),
    by="ann",
    at=NOW,
)
WINDOW = MaintenanceWindow(begins=NOW, until=NOW + timedelta(hours=1))
OVER = MaintenanceWindow(begins=NOW - timedelta(hours=1), until=NOW)


def flaps(*seconds_ago: float):
    """
    False alarms so long ago.
    """
    return tuple(NOW - timedelta(seconds=ago) for ago in seconds_ago)


STRANGER = an_instance(0, owner=Owner(platform="other", service="shop"))


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        pytest.param(a_situation(), None, id="one-sick-member-of-four-is-healed"),
        pytest.param(
            a_situation(healing_on=False), Reason.SWITCHED_OFF, id="switched-off"
        ),
        pytest.param(
            a_situation(pauses=(PAUSE,)), Reason.PAUSED, id="a-person-paused-it"
        ),
        pytest.param(
            a_situation(pauses=(PAUSE.model_copy(update={"until": NOW}),)),
            None,
            id="a-pause-that-ended-now",
        ),
        pytest.param(
            a_situation(pauses=(OTHERS_PAUSE,)), None, id="a-pause-of-another-slot"
        ),
        pytest.param(
            a_situation(windows=(WINDOW,)), Reason.MAINTENANCE, id="maintenance"
        ),
        pytest.param(a_situation(windows=(OVER,)), None, id="a-window-that-ended-now"),
        pytest.param(
            a_situation(instance=STRANGER), Reason.NOT_OURS, id="someone-elses-mark"
        ),
        pytest.param(
            a_situation(instance=an_instance(0, owner=None)),
            Reason.NOT_OURS,
            id="no-mark-at-all",
        ),
        pytest.param(a_situation(instance=None), None, id="an-absent-instance-is-ours"),
        pytest.param(
            a_situation(instance=an_instance(0, locked=True)),
            Reason.LOCKED,
            id="somebody-locked-it",
        ),
        pytest.param(
            a_situation(subject_slot=7, instance=None),
            Reason.STALE,
            id="the-slot-is-no-longer-wanted",
        ),
        pytest.param(
            a_situation(unwell=3),
            Reason.STORM,
            id="three-of-four-is-a-storm",
        ),
        pytest.param(
            a_situation(unwell=2), None, id="two-of-four-one-at-a-time-as-two-serve"
        ),
        pytest.param(
            a_situation(unwell=2, acting=("demo/shop/web/1",)),
            Reason.DISRUPTIONS,
            id="two-of-four-and-the-other-is-being-healed",
        ),
        pytest.param(
            a_situation(unwell=2, acting=("demo/other/web/1",)),
            None,
            id="another-service-is-no-hindrance",
        ),
        pytest.param(
            a_situation(unwell=2, size=5), None, id="two-of-five-is-none: the share"
        ),
        pytest.param(
            a_situation(unwell=1, size=2), None, id="one-of-two-is-none: the count"
        ),
        pytest.param(
            a_situation(unwell=1, size=1), None, id="a-single-member-may-be-healed"
        ),
        pytest.param(a_situation(unwell=4), Reason.STORM, id="all-down-is-a-storm"),
        pytest.param(
            a_situation(acting=("demo/a/web/1", "demo/b/web/2")),
            Reason.DISRUPTIONS,
            id="two-others-are-being-changed",
        ),
        pytest.param(
            a_situation(acting=("demo/a/web/1",)), None, id="one-other-leaves-room"
        ),
        pytest.param(
            a_situation(lease_holder="deploy of shop by host:42"),
            Reason.BUSY,
            id="a-deploy-works-on-the-service",
        ),
        pytest.param(
            a_situation(attempts=(attempt(800), attempt(400), attempt(100))),
            Reason.ATTEMPTS,
            id="healed-three-times-within-the-window",
        ),
        pytest.param(
            a_situation(attempts=(attempt(2000), attempt(400), attempt(100))),
            None,
            id="old-attempts-are-forgotten",
        ),
        pytest.param(
            a_situation(flaps=flaps(30, 20, 10)), Reason.FLAPPING, id="three-flaps"
        ),
        pytest.param(a_situation(flaps=flaps(20, 10)), None, id="two-flaps"),
        pytest.param(
            a_situation(flaps=flaps(3000, 2400, 1800)), None, id="flaps-long-ago"
        ),
        pytest.param(
            a_situation(attempts=(attempt(3),)),
            Reason.COOL_DOWN,
            id="healed-three-seconds-ago",
        ),
        pytest.param(
            a_situation(attempts=(attempt(6),)), None, id="the-first-pause-is-over"
        ),
        pytest.param(
            a_situation(attempts=(attempt(60), attempt(6))),
            Reason.COOL_DOWN,
            id="the-second-pause-is-twice-as-long",
        ),
    ],
)
def test_brakes(situation, reason):
    """
    Each brake objects for its own reason, and only then; its sentence names the subject.
    """
    found = brakes.objections(situation)

    assert (reason,) == tuple(r.reason for r in found) or (reason is None and not found)
    assert all(r.subject == situation.subject.key and r.detail for r in found)


@pytest.mark.parametrize(
    ("weight", "unwell", "size", "minimum", "refused"),
    [
        pytest.param(1, 0, 4, 2, False, id="three-others-serve-two-must"),
        pytest.param(1, 0, 3, 2, False, id="exactly-enough"),
        pytest.param(1, 0, 2, 2, True, id="one-too-few"),
        pytest.param(1, 0, 1, 0, True, id="the-last-one-stays-whatever-the-limit"),
        pytest.param(0, 0, 1, 2, False, id="who-does-not-serve-is-not-missed"),
        pytest.param(1, 1, 2, 2, False, id="who-is-sick-serves-nobody"),
    ],
)
def test_min_healthy(weight, unwell, size, minimum, refused):
    """
    A member that serves is not taken away when too few others do.
    """
    situation = a_situation(
        unwell=unwell,
        size=size,
        weight=weight,
        limits=HealingLimits(min_healthy=minimum),
    )

    assert refused == (brakes.min_healthy(situation) is not None)


def members(*states: tuple[int, str]) -> tuple[Member, ...]:
    """
    Members by weight and operating status.
    """
    return tuple(
        Member(
            id=f"m{slot}",
            name=name(slot),
            address="10.0.0.1",
            port=8080,
            weight=weight,
            operating_status=status,
        )
        for slot, (weight, status) in enumerate(states)
    )


UP = (1, "ONLINE")


@pytest.mark.parametrize(
    ("pool", "suspects", "healing_on", "reason"),
    [
        pytest.param((UP, UP, UP), (), True, None, id="two-others-are-enough"),
        pytest.param((UP, UP), (), True, Reason.MIN_HEALTHY, id="one-other-is-not"),
        pytest.param(
            (UP, UP, UP),
            (name(1),),
            True,
            Reason.MIN_HEALTHY,
            id="a-suspect-is-no-help",
        ),
        pytest.param(
            (UP, UP, (0, "ONLINE")),
            (),
            True,
            Reason.MIN_HEALTHY,
            id="nor-a-drained-one",
        ),
        pytest.param(
            (UP, UP, (1, "ERROR")), (), True, Reason.MIN_HEALTHY, id="nor-a-dead-one"
        ),
        pytest.param(
            ((0, "ONLINE"), UP, UP), (), True, Reason.NOTHING_WRONG, id="done-already"
        ),
        pytest.param((UP, UP, UP), (), False, Reason.SWITCHED_OFF, id="switched-off"),
    ],
)
def test_first_action(pool, suspects, healing_on, reason):
    """
    Weight 0 needs one sample only, but enough others that serve.
    """
    decision = first_action.decide(
        name(0),
        members(*pool),
        min_healthy=2,
        suspects=suspects,
        healing_on=healing_on,
    )

    if reason is None:
        assert WeightZero(name(0), 1) == decision
    else:
        assert isinstance(decision, Refusal)
        assert reason == decision.reason


def test_first_action_on_an_old_reading():
    """
    Who was stopped for longer than two readings take knows nothing of who serves.
    """
    pool = members(UP, UP, UP)
    known = {"min_healthy": 2, "suspects": ()}

    assert first_action.decide(name(0), pool, **known, age_seconds=8.0) == WeightZero(
        name(0), 1
    )
    decision = first_action.decide(name(0), pool, **known, age_seconds=8.1)
    assert isinstance(decision, Refusal)
    assert decision.reason == Reason.EVIDENCE_MISSING


def test_first_action_needs_a_member():
    """
    Who is in no pool cannot be drained.
    """
    decision = first_action.decide("nobody", members(UP), min_healthy=1, suspects=())

    assert isinstance(decision, Refusal)
    assert decision.reason == Reason.MISSING


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(["ONLINE", "ERROR"])),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 4),
)
def test_first_actions_together_never_go_below_min_healthy(states, minimum):
    """
    However many members are woken for, in whatever order: of those that served, min-healthy go on serving.
    """
    pool = list(members(*states))
    serving = sum(w > 0 and s == "ONLINE" for w, s in states)
    for slot in range(len(pool)):
        decision = first_action.decide(
            pool[slot].name, pool, min_healthy=minimum, suspects=()
        )
        if isinstance(decision, WeightZero):
            pool[slot] = pool[slot].model_copy(update={"weight": 0})

    left = sum(m.weight > 0 and m.operating_status == "ONLINE" for m in pool)
    assert left >= min(serving, max(minimum, 1))
