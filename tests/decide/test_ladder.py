"""
The ladder's choices, and the plans they become.
"""

from dataclasses import replace

import pytest

from fournines.model.case import Diagnosis
from fournines.model.desired import HealingLimits, instance_digest
from fournines.model.quarantine import Quarantine, Strike
from fournines.model.refusal import Reason
from fournines.planning import linter
from healing import ladder
from healing import plan as planning
from healing.diagnosis import kinds
from healing.ladder import Choice, Rung
from tests.decide.slot_world import NOW, a_situation, an_instance, name


@pytest.mark.parametrize(
    ("diagnosis", "situation", "known", "rung"),
    [
        pytest.param(
            diagnosis, a_situation(), {}, Rung.REPLACE, id=f"{diagnosis}-is-replaced"
        )
        for diagnosis in sorted(kinds.SICK)
    ]
    + [
        pytest.param(
            Diagnosis.NOTHING, a_situation(), {}, Rung.WATCH, id="a-flap-is-watched"
        ),
        pytest.param(
            Diagnosis.BLIND, a_situation(), {}, Rung.PAGE, id="blind-calls-a-person"
        ),
        pytest.param(
            Diagnosis.UNKNOWN, a_situation(), {}, Rung.PAGE, id="so-does-unknown"
        ),
        pytest.param(
            Diagnosis.HUNG,
            a_situation(volume_size_gb=10),
            {},
            Rung.RESTART,
            id="a-volume-makes-the-restart-first",
        ),
        pytest.param(
            Diagnosis.HUNG,
            a_situation(volume_size_gb=10),
            {"failed": (Rung.RESTART,)},
            Rung.REPLACE,
            id="the-replacement-second",
        ),
        pytest.param(
            Diagnosis.HUNG,
            a_situation(volume_size_gb=10),
            {"budget_left_ratio": 0.05},
            Rung.REPLACE,
            id="little-budget-left-skips-the-gentle-rung",
        ),
        pytest.param(
            Diagnosis.HUNG,
            a_situation(volume_size_gb=10),
            {"failed": (Rung.RESTART, Rung.REPLACE)},
            Rung.PAGE,
            id="and-then-a-person",
        ),
        pytest.param(
            Diagnosis.GONE,
            a_situation(),
            {"no_room": True, "failed": (Rung.REPLACE,)},
            Rung.RESTART,
            id="no-room-for-a-second-one",
        ),
        pytest.param(
            Diagnosis.GONE,
            a_situation(instance=None),
            {"no_room": True},
            Rung.PAGE,
            id="no-room-and-nothing-to-restart",
        ),
        pytest.param(
            Diagnosis.GREY_ERRORS,
            a_situation(
                unwell=0, size=2, weight=1, limits=HealingLimits(min_healthy=2)
            ),
            {"no_room": True},
            Rung.PAGE,
            id="no-restart-of-who-still-serves-when-too-few-others-do",
        ),
    ],
)
def test_ladder(diagnosis, situation, known, rung):
    """
    Each diagnosis has its rung, and the choice says why.
    """
    choice = ladder.choose(diagnosis, situation, **known)

    assert (rung, True) == (choice.rung, bool(choice.why))


@pytest.mark.parametrize(
    ("instance", "held", "rung"),
    [
        pytest.param({}, 2, Rung.RESTART, id="who-is-there-is-restarted"),
        pytest.param({"instance": None}, 2, Rung.PAGE, id="who-is-gone-is-a-matter-for-a-person"),
        pytest.param({}, 1, Rung.REPLACE, id="one-strike-may-be-chance"),
    ],
)  # fmt: skip
def test_a_build_in_quarantine_is_not_rolled_out(instance, held, rung):
    """
    No new instance of a build that twice never served; the plan says why.
    """
    bare = a_situation(**instance)
    build = Quarantine(digest=instance_digest(bare.group), image=bare.group.image)
    for number in range(held):
        build = build.struck(Strike(instance=f"i{number}", case="c", at=NOW))
    choice = ladder.choose(
        Diagnosis.GONE, a_situation(quarantines=(build,), **instance)
    )

    assert choice.rung is rung
    assert (held == 2) == (Reason.QUARANTINE in {r.reason for r in choice.refusals})
    assert (held == 2) == ("in quarantine" in choice.rejected.get("replace", ""))


def test_a_rung_not_taken_has_its_sentence():
    """
    The plan explains what was not done.
    """
    choice = ladder.choose(
        Diagnosis.HUNG, a_situation(volume_size_gb=1), failed=(Rung.RESTART,)
    )

    assert {rung.value for rung in Rung} - {"replace"} == set(choice.rejected)
    assert choice.rejected["restart"] == "tried in this case, and it did not help"
    assert all(choice.rejected.values())


def test_too_few_others_keep_the_weight_and_replace_all_the_same():
    """
    Min-healthy forbids to drain a member that serves; the replacement joins first, so it is allowed.
    """
    situation = a_situation(
        unwell=0, size=2, weight=1, limits=HealingLimits(min_healthy=2)
    )
    choice = ladder.choose(Diagnosis.GREY_ERRORS, situation)

    assert (choice.rung, choice.drain) == (Rung.REPLACE, False)
    assert [r.reason for r in choice.refusals] == [Reason.MIN_HEALTHY]
    plan = planning.make(choice, situation, case_id="c")
    kinds = [step.kind for step in plan.steps]
    assert kinds.index("await-serving") < kinds.index("set-weight")
    assert linter.problems(plan, situation.inventory, {"demo-shop-web": 2}) == ()


REPLACE = Choice(rung=Rung.REPLACE, why="test", drain=True)


def test_a_replacement_serves_before_the_old_one_leaves():
    """
    Weight 0, new generation, join, serve, leave, delete: in this order, each waiting for the one before.
    """
    plan = planning.make(REPLACE, a_situation(weight=1), case_id="c")

    assert [
        f"set-weight/demo-shop-web/{name(0)}/0",
        f"ensure-instance/{name(0, 2)}",
        f"join-pool/demo-shop-web/{name(0, 2)}",
        f"await-serving/demo-shop-web/{name(0, 2)}",
        f"leave-pool/demo-shop-web/{name(0)}",
        f"delete-instance/{name(0)}",
    ] == [step.id for step in plan.steps]
    weight, ensure, join, serve, leave, _delete = plan.steps
    assert [
        (),
        (),
        (ensure.id,),
        (join.id,),
        (serve.id, weight.id),
        (leave.id,),
    ] == [step.needs for step in plan.steps]
    inventory = a_situation(weight=1).inventory
    assert linter.problems(plan, inventory, {"demo-shop-web": 2}) == ()


def test_the_same_inputs_give_the_same_plan():
    """
    A plan's id says what it does, so a repeated decision is the same plan.
    """
    first = planning.make(REPLACE, a_situation(), case_id="c")

    assert first == planning.make(REPLACE, a_situation(), case_id="c")
    assert first.id != planning.make(REPLACE, a_situation(weight=1), case_id="c").id


def _zone_of(plan):
    """
    The zone of the arriving instance.
    """
    return next(s.spec.zone for s in plan.steps if s.kind == "ensure-instance")


def test_a_replacement_goes_where_fewest_are():
    """
    Slots 1 to 3 stand in az2, az3, az1: all alike, so the sick one's zone; without az1's it would be az1 too.
    """
    same = planning.make(REPLACE, a_situation(), case_id="c")
    crowded = tuple(an_instance(slot, zone="az1") for slot in range(3))
    moved = planning.make(REPLACE, a_situation(size=3, instances=crowded), case_id="c")

    assert (_zone_of(same), _zone_of(moved)) == ("az1", "az2")


def test_a_zone_that_takes_no_instances_is_avoided():
    """
    Only zones that the cloud offers are chosen from.
    """
    situation = a_situation()
    inventory = situation.inventory.model_copy(update={"zones": ("az3",)})
    known = {
        field: getattr(situation, field)
        for field in type(situation).__dataclass_fields__
    }
    plan = planning.make(
        REPLACE, type(situation)(**(known | {"inventory": inventory})), case_id="c"
    )

    assert _zone_of(plan) == "az3"


def test_a_replacement_that_was_cut_short_is_finished():
    """
    A younger instance of the slot, with today's digest, is the replacement: no third one is made.
    """
    situation = a_situation()
    wanted = situation.service.instance(situation.group, 0, 2, "az2")
    begun = an_instance(0, generation=2, zone="az2", owner=wanted.owner)
    plan = planning.make(
        REPLACE,
        a_situation(instances=(an_instance(0), begun)),
        case_id="c",
    )

    assert (name(0, 2), "az2") == (planning.arriving(plan, 0), _zone_of(plan))


def test_a_replacement_that_never_served_is_not_tried_again():
    """
    A spoiled replacement is left behind for a third generation.
    """
    situation = a_situation()
    wanted = situation.service.instance(situation.group, 0, 2, "az2")
    begun = an_instance(0, generation=2, zone="az2", owner=wanted.owner)
    plan = planning.make(
        REPLACE,
        a_situation(instances=(an_instance(0), begun), spoiled=frozenset({begun.name})),
        case_id="c",
    )

    assert planning.arriving(plan, 0) == name(0, 3)


def test_a_sick_or_outdated_younger_instance_is_replaced_too():
    """
    A younger instance in ERROR is a leftover: the next generation is made and the leftover leaves with the old one.
    """
    broken = an_instance(0, generation=2, status="ERROR")
    plan = planning.make(
        REPLACE, a_situation(instances=(an_instance(0), broken)), case_id="c"
    )

    assert planning.arriving(plan, 0) == name(0, 3)
    gone = {s.instance for s in plan.steps if s.kind == "delete-instance"}
    assert {name(0), name(0, 2)} == gone


@pytest.mark.parametrize(
    ("unwell", "weight", "kept"),
    [
        pytest.param(0, 1, 1, id="it-serves"),
        pytest.param(1, 1, 3, id="it-answers-badly"),
        pytest.param(0, 0, 3, id="nobody-is-sent-to-it"),
    ],
)
def test_an_older_instance_that_serves_makes_the_sick_one_a_leftover(
    unwell, weight, kept
):
    """
    The slot keeps who gets its requests and answers them; only the others leave.
    """
    situation = a_situation(unwell=unwell, weight=weight)
    wanted = situation.service.instance(situation.group, 0, 1, "az1")
    here = (
        an_instance(0, owner=wanted.owner),
        an_instance(0, generation=2, zone="az2"),
    )
    situation = a_situation(unwell=unwell, weight=weight, instances=here)
    subject = situation.subject.model_copy(update={"instance": name(0, 2)})
    plan = planning.make(
        REPLACE, replace(situation, subject=subject, instance=here[1]), case_id="c"
    )

    assert planning.arriving(plan, 0) == name(0, kept)
    gone = {s.instance for s in plan.steps if s.kind == "delete-instance"}
    assert gone == {name(0), name(0, 2)} - {name(0, kept)}


def test_an_instance_the_cloud_forgot_leaves_its_pool_only():
    """
    Nothing is deleted that does not exist, but its member leaves.
    """
    others = tuple(an_instance(slot) for slot in range(1, 4))
    plan = planning.make(REPLACE, a_situation(instances=others), case_id="c")

    kinds = [step.kind for step in plan.steps]
    assert kinds == ["ensure-instance", "join-pool", "await-serving", "leave-pool"]
    assert planning.arriving(plan, 0) == name(0, 2)


def test_a_volume_is_taken_over_after_the_drain():
    """
    Where a volume must move, the sick member gets no requests before it loses it.
    """
    plan = planning.make(REPLACE, a_situation(weight=1, volume_size_gb=5), case_id="c")

    ensure = next(s for s in plan.steps if s.kind == "ensure-instance")
    assert ensure.spec.volumes == ("demo-shop-web-0",)
    assert {"set-weight", "ensure-volume"} == {n.split("/")[0] for n in ensure.needs}


def test_a_restart_comes_back_with_its_weight():
    """
    Weight 0, restart, serve, weight 1.
    """
    plan = planning.make(
        Choice(rung=Rung.RESTART, why="test", drain=True),
        a_situation(weight=1),
        case_id="c",
    )

    kinds = [(step.kind, getattr(step, "weight", None)) for step in plan.steps]
    assert kinds == [
        ("set-weight", 0),
        ("restart-instance", None),
        ("await-serving", None),
        ("set-weight", 1),
    ]


def test_a_flap_gets_its_weight_back_and_nothing_else():
    """
    Watching restores what the first action took, once.
    """
    watch = Choice(rung=Rung.WATCH, why="test")
    drained = planning.make(watch, a_situation(), case_id="c")

    assert [(s.weight, s.weight_before) for s in drained.steps] == [(1, 0)]
    assert planning.make(watch, a_situation(weight=1), case_id="c").empty


def test_a_page_changes_nothing():
    """
    Calling a person is no step.
    """
    page = Choice(rung=Rung.PAGE, why="test")

    assert planning.make(page, a_situation(weight=1), case_id="c").empty
