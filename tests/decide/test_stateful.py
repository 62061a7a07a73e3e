"""
Stateful groups: who comes, who goes, in which order, and what is never done.
"""

from datetime import timedelta

import pytest

from fournines.model.contents import ContentChange, Contents
from fournines.model.refusal import Reason
from fournines.planning import linter
from fournines.planning.graph import Ancestry, ordered
from fournines.planning.plan import Purpose
from fournines.planning.plan import make as make_plan
from tests.decide.planned_world import NOW
from tests.decide.stateful_world import StatefulWorld, a_stateful, slot_of

A, B, C, D, E = (f"demo-shop-web-{n}" for n in range(5))


THREE = a_stateful()


NEW = a_stateful(image="debian-13")


def deployed(desired=THREE, leader=A):
    """A cluster that is well."""
    world = StatefulWorld().settled(desired)
    world.leader = leader
    assert world.plan(desired).empty
    return world


def told(plan, *kinds):
    """Kind and slot of a plan's steps of some kinds, in the order they must run."""
    found = []
    for step in ordered(plan.steps):
        if step.kind in kinds:
            name = getattr(step, "slot", None) or getattr(step, "instance", None)
            name = name or step.spec.name
            found.append((step.kind, slot_of(name) if "-g" in name else name))
    return found


def test_all_come_together_at_first():
    """A cluster forms of all its members: nothing makes one of them wait for another."""
    plan = StatefulWorld().plan(THREE)
    ancestry = Ancestry(plan.steps)
    makes = [s.id for s in plan.steps if s.kind == "ensure-instance"]
    waits = [s.id for s in plan.steps if s.kind == "await-member"]

    assert len(makes) == len(waits) == 3
    assert not any(ancestry.precedes(a, b) for a in makes for b in makes)


def test_a_roll_changes_replicas_before_the_primary():
    """One at a time: hand over, go, come back onto the volume, and be whole before the next goes."""
    world = deployed(leader=A)
    plan = world.plan(NEW)

    assert told(plan, "prepare-leave", "delete-instance", "await-member") == [
        (kind, slot)
        for slot in (B, C, A)
        for kind in ("prepare-leave", "delete-instance", "await-member")
    ]
    ancestry = Ancestry(plan.steps)
    first, second = (
        next(s.id for s in plan.steps if s.id == f"{kind}-member/{slot}-g2")
        if kind == "await"
        else next(s.id for s in plan.steps if s.id == f"prepare-leave/{slot}-g1")
        for kind, slot in (("await", B), ("prepare", C))
    )
    assert ancestry.precedes(first, second)
    world.perform(plan, watch=world.note)
    assert world.fewest_spare == 0
    assert world.plan(NEW).empty


SLOTS = ContentChange(said="slots is 8", restarts=True)


@pytest.mark.parametrize(
    ("change", "order"),
    [
        pytest.param(SLOTS, [(B, False), (C, False), (A, False)], id="leader-last"),
        pytest.param(
            SLOTS.model_copy(update={"leader_first": True}),
            [(A, True), (B, False), (C, False)],
            id="lowered",
        ),
    ],
)
def test_settings_are_taken_by_restarting_one_after_the_other(change, order):
    """
    Replicas first, the leader once it handed over; what replicas cannot have less of than their leader it takes first, where it is.
    """
    world = deployed(leader=A)
    world.contents = Contents(changes=(change,))
    plan = world.plan(THREE)

    assert plan.steps[0].why == "slots is 8 (by a restart)"
    world.fewest_spare = None
    world.perform(plan, watch=world.note)
    assert [slot for slot, _ in world.restarted] == [slot for slot, _ in order]
    assert world.restarted[0] == order[0]
    assert world.fewest_spare == 1
    assert world.plan(THREE).empty


def test_who_waits_for_a_restart_gets_it_from_a_person():
    """A deploy ends what another left undone; the timer lets it wait."""
    world = deployed(leader=A)
    world.waiting = {B}

    assert told(world.plan(THREE), "restart-member") == [("restart-member", B)]
    assert world.plan(THREE, purpose=Purpose.RECONCILE).empty


def test_nobody_is_restarted_while_another_is_not_whole():
    """A chain that could not begin is a refusal, and the contents are made all the same. (Who is not whole may itself be restarted.)"""
    world = deployed(leader=A)
    world.contents = Contents(changes=(SLOTS,))
    world.whole -= {B, C}

    plan = world.plan(THREE)

    assert [step.kind for step in plan.steps] == ["apply-contents"]
    assert [r.reason for r in plan.refusals] == [Reason.QUORUM]


def test_a_member_may_take_its_time_to_serve():
    """Forming a cluster or getting its data takes a member as long to serve as to be whole: neither wait gives up before the other."""
    for plan in (StatefulWorld().plan(THREE), deployed().plan(NEW)):
        limits = {
            kind: {s.deadline_seconds for s in plan.steps if s.kind == kind}
            for kind in ("await-serving", "await-member")
        }

        assert min(limits["await-serving"]) >= max(limits["await-member"])


def test_contents_come_after_the_members():
    """What is founded is given its contents once all are in, and what depends on it waits for them."""
    plan = StatefulWorld().plan(THREE)
    ancestry = Ancestry(plan.steps)
    (held,) = (s for s in plan.steps if s.kind == "apply-contents")
    waits = [s.id for s in plan.steps if s.kind == "await-member"]

    assert all(ancestry.precedes(one, held.id) for one in waits)


def test_a_new_member_comes_one_at_a_time():
    """Scaling out, each is a full member before the next one is made."""
    world = deployed()
    plan = world.plan(a_stateful(5))

    assert told(plan, "ensure-instance", "await-member") == [
        (kind, slot) for slot in (D, E) for kind in ("ensure-instance", "await-member")
    ]
    assert world.perform(plan).plan(a_stateful(5)).empty


def test_who_goes_for_good_is_forgotten_before_the_next():
    """Scaling in, the cluster no longer counts one before the next goes; the leader goes last."""
    world = deployed(a_stateful(5), leader=D)
    plan = world.plan(THREE)

    assert told(plan, "prepare-leave", "delete-instance", "forget-member") == [
        (kind, slot)
        for slot in (E, D)
        for kind in ("prepare-leave", "delete-instance", "forget-member")
    ]
    world.perform(plan, watch=world.note)
    assert world.fewest_spare >= 0
    assert world.plan(THREE).empty


@pytest.mark.parametrize(
    ("count", "insist", "words"),
    [
        pytest.param(2, False, "2 members decide nothing", id="two"),
        pytest.param(2, True, "2 members decide nothing", id="two-for-all-insisting"),
        pytest.param(1, False, "take 3, or say --force", id="one"),
        pytest.param(1, True, None, id="one-insisting"),
        pytest.param(0, True, "one member at least", id="none"),
    ],
)
def test_scaling_in_below_a_quorum(count, insist, words):
    """Below three only one is left to choose, and only a person may choose it."""
    plan = deployed().plan(a_stateful(count), insist=insist)

    assert [r.reason for r in plan.refusals] == ([Reason.SIZE] if words else [])
    assert not words or words in plan.refusals[0].detail
    assert bool(plan.steps) == (words is None)


@pytest.mark.parametrize(
    ("count", "insist", "words"),
    [
        pytest.param(2, True, "2 members decide nothing", id="two-for-all-insisting"),
        pytest.param(1, False, "below 3 every fault is an outage", id="one"),
        pytest.param(1, True, None, id="one-insisting"),
    ],
)
def test_a_cluster_is_not_founded_below_a_quorum(count, insist, words):
    """The first deploy keeps the rule that scaling keeps; once one stands, it is left as it is without another word."""
    world, asked = StatefulWorld(), a_stateful(count)
    plan = world.plan(asked, insist=insist)

    assert [r.reason for r in plan.refusals] == ([Reason.SIZE] if words else [])
    assert not words or words in plan.refusals[0].detail
    assert any(s.kind == "ensure-instance" for s in plan.steps) == (words is None)
    if words is None:
        assert world.perform(plan).plan(asked).empty


def test_nothing_is_taken_away_without_a_view():
    """When nobody says how the members are, an outdated one stays, and so does one too many; a missing one comes back all the same."""
    world = deployed(a_stateful(5))
    world.lose(f"{B}-g1")
    world.known.clear()

    plan = world.plan(NEW)

    assert [r.reason for r in plan.refusals] == [Reason.EVIDENCE_MISSING]
    assert "nothing is taken away on silence" in plan.refusals[0].detail
    assert told(plan, "prepare-leave", "delete-instance") == []
    assert told(plan, "ensure-instance") == [("ensure-instance", B)]


def test_an_old_view_takes_nothing_away():
    """A view of a while ago is no view."""
    world = deployed()
    old = world.view().model_copy(update={"at": NOW - timedelta(minutes=5)})
    world.view = lambda: old

    plan = world.plan(NEW)

    assert [r.reason for r in plan.refusals] == [Reason.EVIDENCE_MISSING]
    assert not plan.steps


def test_a_roll_waits_for_a_member_that_is_away():
    """While one does not answer and nobody brings it back, no other goes."""
    world = deployed()
    world.whole.discard(C)

    plan = world.plan(NEW)
    assert told(plan, "prepare-leave")[0] == ("prepare-leave", C)

    world.set_member("demo-shop-web", f"{C}-g1", weight=1)
    world.change(f"{C}-g1", locked=True)
    plan = world.plan(NEW)
    assert [r.reason for r in plan.refusals] == [Reason.LOCKED, Reason.QUORUM]
    assert "one at a time" in plan.refusals[1].detail
    assert told(plan, "prepare-leave") == []


def test_a_missing_member_comes_back_before_any_goes():
    """An interrupted roll goes on: first the gap is closed, then the next is changed."""
    world = deployed()
    world.lose(f"{C}-g1")
    world.fail_over()

    plan = world.plan(NEW)

    assert told(plan, "await-member", "prepare-leave")[:2] == [
        ("await-member", C),
        ("prepare-leave", B),
    ]
    assert not plan.refusals
    assert world.perform(plan).plan(NEW).empty


def test_a_dead_instance_goes_before_its_successor_and_hands_nothing_over():
    """It holds volume and address, and nothing of it is in the cluster's work."""
    world = deployed()
    world.change(f"{B}-g1", status="SHUTOFF")

    plan = world.plan(THREE)

    assert told(plan, "prepare-leave") == []
    assert told(plan, "delete-instance", "ensure-instance", "await-member") == [
        ("delete-instance", B),
        ("ensure-instance", B),
        ("await-member", B),
    ]
    assert world.perform(plan).plan(THREE).empty


def test_a_slot_under_healing_is_left_alone():
    """What a case holds is not rolled, and while it is away nothing else is."""
    world = deployed()
    world.whole.discard(B)

    plan = world.plan(NEW, drained=frozenset({f"{B}-g1"}))

    assert [r.reason for r in plan.refusals] == [Reason.BUSY, Reason.QUORUM]
    assert not plan.steps


def test_down_in_another_role_is_not_down():
    """Members that a pool by role calls ERROR are well: nothing is planned for them, and they are rolled as the others."""
    by_role, new = (
        a_stateful(role="primary"),
        a_stateful(image="debian-13", role="primary"),
    )
    world = deployed(by_role)
    for slot in (B, C):
        world.set_member("demo-shop-web", f"{slot}-g1", operating_status="ERROR")

    assert world.plan(by_role).empty
    plan = world.plan(new)
    assert [slot for _, slot in told(plan, "prepare-leave")] == [B, C, A]
    assert {s.role for s in plan.steps if s.kind == "await-serving"} == {"primary"}


def test_two_leaves_without_an_arrival_are_unsound():
    """The linter knows: a second leave must wait until the first one's member is back, or forgotten."""
    world = deployed()
    plan = world.plan(NEW)
    waits = {s.id for s in plan.steps if s.kind == "await-member"}
    broken = [
        s.model_copy(update={"needs": tuple(n for n in s.needs if n not in waits)})
        for s in plan.steps
        if s.kind != "await-member"
    ]

    problems = linter.problems(
        make_plan(
            purpose=Purpose.ROLL,
            platform="demo",
            service="shop",
            made_at=NOW,
            steps=broken,
        ),
        world.inventory(),
    )

    assert any(f"{B} and {C}" in p or f"{C} and {B}" in p for p in problems)
    assert all("may be away at once" in p for p in problems)


def test_a_leave_without_its_delete_in_order_is_unsound():
    """An instance must not go before it has handed over."""
    world = deployed()
    steps = [
        s.model_copy(update={"needs": ()}) if s.kind == "delete-instance" else s
        for s in world.plan(NEW).steps
        if s.kind in {"prepare-leave", "delete-instance", "await-member"}
    ]
    known = {s.id for s in steps}
    steps = [
        s.model_copy(update={"needs": tuple(n for n in s.needs if n in known)})
        for s in steps
    ]
    plan = make_plan(
        purpose=Purpose.ROLL, platform="demo", service="shop", made_at=NOW, steps=steps
    )

    assert any("before it has handed over" in p for p in linter.problems(plan))
