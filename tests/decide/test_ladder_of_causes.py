"""
The rungs for causes outside of the member, and the laws of the whole ladder.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.case import Diagnosis
from fournines.model.desired import HealingLimits, instance_digest
from fournines.model.quarantine import Quarantine, Strike
from fournines.model.refusal import Reason
from healing import ladder, service_plans
from healing.diagnosis.kinds import REPLACED, SERVICE_WIDE, WELL
from healing.pattern import MemberState, Pattern, Share
from healing.rungs import WEIGHTS, Rung
from healing.scene import BalancerState, Dependency, Scene
from tests.decide.slot_world import NOW, ZONES, a_situation, name

LARGER = HealingLimits(min_healthy=2, count_max=5)


def a_pattern(*down: str) -> Pattern:
    """
    Two members on two hosts of each zone, those of some zones silent.
    """
    return Pattern(
        NOW,
        "demo",
        tuple(
            MemberState(
                instance=name(slot),
                service="shop",
                group="web",
                slot=slot,
                generation=1,
                host=f"h{slot}",
                zone=ZONES[slot % 3],
                well=ZONES[slot % 3] not in down,
                silent=ZONES[slot % 3] in down,
            )
            for slot in range(6)
        ),
    )


def around(**known):
    """
    A situation with these surroundings; `before` gives the service another earlier release.
    """
    limits = known.pop("limits", HealingLimits(min_healthy=2))
    pattern = known.pop("pattern", a_pattern())
    situation = a_situation(limits=limits)
    if known.pop("before", False):
        group = situation.group.model_copy(update={"image": "debian-11"})
        known["previous"] = situation.service.model_copy(update={"groups": (group,)})
    scene = Scene(now=NOW, subject=situation.subject, pattern=pattern, **known)
    return a_situation(limits=limits, scene=scene, pattern=pattern)


def balancer(**known) -> BalancerState:
    """
    A load balancer that users do not get through.
    """
    facts = {"provisioning_status": "ACTIVE"} | known
    return BalancerState(name="demo-shop-lb", operating_status="ERROR", **facts)


@pytest.mark.parametrize(
    ("diagnosis", "situation", "rung", "reason"),
    [
        pytest.param(
            Diagnosis.HOST_DOWN, around(), Rung.REPLACE, None, id="another-host"
        ),
        pytest.param(
            Diagnosis.ZONE_DOWN,
            around(pattern=a_pattern("az1")),
            Rung.SHIFT,
            None,
            id="another-zone",
        ),
        pytest.param(
            Diagnosis.DEPENDENCY,
            around(dependencies=(Dependency("db", 1, Share(2, 0, 0)),)),
            Rung.LEAVE,
            Reason.DEPENDENCY,
            id="the-dependent-is-left-alone",
        ),
        pytest.param(
            Diagnosis.SATURATED, around(limits=LARGER), Rung.SCALE_OUT, None, id="grow"
        ),
        pytest.param(
            Diagnosis.SATURATED, around(), Rung.PAGE, Reason.SIZE, id="no-leave-to-grow"
        ),
        pytest.param(
            Diagnosis.SATURATED,
            around(limits=HealingLimits(count_max=4)),
            Rung.PAGE,
            Reason.SIZE,
            id="grown-already",
        ),
        pytest.param(
            Diagnosis.BALANCER,
            around(balancer=balancer()),
            Rung.FAIL_OVER,
            None,
            id="lb",
        ),
        pytest.param(
            Diagnosis.BALANCER,
            around(balancer=balancer(failover_stopped=True)),
            Rung.PAGE,
            Reason.FAILOVER_STOPPED,
            id="the-cloud-has-given-up",
        ),
        pytest.param(
            Diagnosis.BALANCER,
            around(balancer=balancer(provisioning_status="PENDING_UPDATE")),
            Rung.PAGE,
            Reason.BUSY,
            id="somebody-is-at-it",
        ),
        pytest.param(
            Diagnosis.BAD_RELEASE, around(before=True), Rung.ROLL_BACK, None, id="back"
        ),
        pytest.param(
            Diagnosis.BAD_RELEASE, around(), Rung.PAGE, None, id="nothing-to-go-back-to"
        ),
        pytest.param(
            Diagnosis.BAD_RELEASE,
            around(before=True, rolled_back=True),
            Rung.PAGE,
            None,
            id="not-to-and-fro",
        ),
        pytest.param(
            Diagnosis.FLAPPING, around(), Rung.WATCH, None, id="flapping-is-watched"
        ),
    ],
)
def test_rungs_for_causes(diagnosis, situation, rung, reason):
    """
    Each cause has its rung, each rung its limits, each limit its reason.
    """
    choice = ladder.choose(diagnosis, situation)

    assert choice.rung is rung
    assert (reason,) == tuple(r.reason for r in choice.refusals) or reason is None
    if rung is Rung.PAGE:
        assert choice.why == "no rung is left"


def test_what_was_rolled_away_is_not_brought_back_from_quarantine():
    """
    An earlier release whose instances never served is no remedy.
    """
    known = around(before=True)
    group = known.scene.previous.groups[0]
    held = Quarantine(digest=instance_digest(group), image=group.image)
    for number in range(2):
        held = held.struck(Strike(instance=f"i{number}", case="c", at=NOW))
    situation = a_situation(
        scene=known.scene, pattern=known.pattern, quarantines=(held,)
    )
    choice = ladder.choose(Diagnosis.BAD_RELEASE, situation)

    assert choice.rung is Rung.PAGE
    assert Reason.QUARANTINE in {refusal.reason for refusal in choice.refusals}


@pytest.mark.parametrize(
    ("burning", "left", "rung"),
    [
        pytest.param(False, None, Rung.RESTART, id="time-to-try"),
        pytest.param(False, 0.5, Rung.RESTART, id="half-is-left"),
        pytest.param(False, 0.05, Rung.REPLACE, id="little-is-left"),
        pytest.param(True, 0.5, Rung.REPLACE, id="it-burns"),
    ],
)
def test_what_may_not_help_is_not_tried_while_the_budget_burns(burning, left, rung):
    """
    A volume makes the restart first, unless there is no budget to try it with.
    """
    scene = around(burning=burning).scene
    situation = a_situation(volume_size_gb=1, scene=scene)
    choice = ladder.choose(Diagnosis.HUNG, situation, budget_left_ratio=left)

    assert choice.rung is rung
    assert (rung is Rung.REPLACE) == ("burns" in choice.rejected.get("restart", ""))


def test_growing_and_going_back_change_what_is_asked_for():
    """
    Scaling out keeps within the limit; rolling back keeps today's size.
    """
    grown = service_plans.desired(Rung.SCALE_OUT, around(limits=LARGER))
    back = service_plans.desired(Rung.ROLL_BACK, around(before=True))

    assert grown.service("shop").groups[0].count == 5
    assert back.service("shop").groups[0].image == "debian-11"
    assert back.service("shop").groups[0].count == 4
    assert service_plans.desired(Rung.REPLACE, around()) is None


@given(
    diagnosis=st.sampled_from(sorted(Diagnosis)),
    failed=st.sets(st.sampled_from(sorted(Rung))),
    no_room=st.booleans(),
    budget=st.sampled_from([None, 0.0, 0.5]),
    situation=st.sampled_from(
        [
            around(),
            around(limits=LARGER, before=True, balancer=balancer()),
            around(pattern=a_pattern("az1")),
            around(pattern=a_pattern(*ZONES)),
            a_situation(volume_size_gb=1),
            a_situation(instance=None),
            a_situation(unwell=0, size=2, weight=1),
        ]
    ),
)
def test_the_laws_of_the_ladder(diagnosis, failed, no_room, budget, situation):
    """
    What failed is not tried again, every other rung has its sentence, no cause outside of a member destroys one, the unknown moves nothing.
    """
    choice = ladder.choose(
        diagnosis,
        situation,
        failed=tuple(failed - {Rung.WATCH}),
        no_room=no_room,
        budget_left_ratio=budget,
    )

    assert set(choice.rejected) == {r.value for r in Rung} - {choice.rung.value}
    assert choice.why
    assert all(choice.rejected.values())
    if choice.rung not in {Rung.PAGE, Rung.WATCH}:
        assert choice.rung not in failed
    if diagnosis in SERVICE_WIDE:
        assert not choice.drain
        assert choice.rung not in {Rung.REPLACE, Rung.RESTART, Rung.SHIFT}
    if diagnosis not in WELL | REPLACED | SERVICE_WIDE:
        assert choice.rung is Rung.PAGE


@given(
    diagnosis=st.sampled_from(sorted(REPLACED | SERVICE_WIDE)),
    situation=st.sampled_from(
        [around(limits=LARGER, before=True, balancer=balancer()), a_situation()]
    ),
)
def test_the_ladder_ends_with_a_person(diagnosis, situation):
    """
    Whatever fails, each rung is tried once at most, and then a person is called.
    """
    failed: list[Rung] = []
    while (
        rung := ladder.choose(diagnosis, situation, failed=tuple(failed)).rung
    ) is not (Rung.PAGE):
        failed.append(rung)

    assert len(failed) == len(set(failed)) < len(WEIGHTS)
