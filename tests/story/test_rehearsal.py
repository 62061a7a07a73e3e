"""
A plan is tried on a copy of what is there before it is performed: what it predicts, what it refuses, and that it costs nothing real.
"""

import dataclasses

import pytest

from flows import examination
from fournines.cloud.simulated import Behaviour, Scenario
from fournines.cloud.simulated.scenario import UNLIMITED
from fournines.model.case import CaseState, Diagnosis
from fournines.model.refusal import Reason
from healing import ladder, rehearsal
from healing import plan as planning
from healing.rungs import Rung
from tasks.rehearsal import rehearse
from tests.story.clinic import POOL, Clinic, a_service

SICK = "demo-shop-web-1-g1"


def planned(clinic, rung=Rung.REPLACE):
    """
    The plan of a rung for the sick member, and the situation it was made in.
    """
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.settle(5)
    clinic.alert(SICK)
    (case,) = clinic.admissions.sort()
    situation = examination.examine(clinic.ward, case).situation
    choice = ladder.choose(Diagnosis.HUNG, situation).model_copy(update={"rung": rung})
    return planning.make(choice, situation, case_id=case.id), situation


def tried(clinic, plan, situation, **known):
    """
    The plan, rehearsed.
    """
    return rehearse(
        plan,
        situation.inventory,
        (situation.service,),
        settings=clinic.workshop.settings,
        pattern=situation.pattern,
        **known,
    )


def test_who_is_being_deleted_is_replaced(tmp_path):
    """
    Somebody deletes a member: its deletion is under way when the plan is made, and ends by itself, in the rehearsal too.
    """
    clinic = Clinic(tmp_path)
    plan, situation = planned(clinic)
    leaving = tuple(
        one.model_copy(update={"status": "DELETING"}) if one.name == SICK else one
        for one in situation.inventory.instances
    )
    inventory = situation.inventory.model_copy(update={"instances": leaving})
    seen = tried(clinic, plan, dataclasses.replace(situation, inventory=inventory))

    assert not seen.failed


def test_a_replacement_is_predicted_step_by_step(tmp_path):
    """
    Three serve all the way, four at the end; the cloud is not asked anything, and nothing of it has changed.
    """
    clinic = Clinic(tmp_path)
    plan, situation = planned(clinic)
    clinic.cloud.calls.clear()
    seen = tried(clinic, plan, situation)

    assert not seen.failed
    assert [m.after for m in seen.moments][1:] == [s.id for s in plan.steps]
    assert seen.moments[0].serving[POOL] == 3
    assert min(m.serving[POOL] for m in seen.moments) == 3
    assert seen.moments[-1].serving[POOL] == 4
    assert rehearsal.judge(seen, {POOL: 2}, subject="x") is None
    assert clinic.cloud.calls == []
    assert SICK in clinic.cloud.world.instances


def test_the_same_plan_gives_the_same_rehearsal(tmp_path):
    """
    Nothing of it is left to chance.
    """
    clinic = Clinic(tmp_path)
    plan, situation = planned(clinic)

    assert tried(clinic, plan, situation) == tried(clinic, plan, situation)


def test_what_was_predicted_stands_beside_what_happened(tmp_path):
    """
    The case keeps both, and on the cloud that the copy is made like they agree.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    (case,) = clinic.heal()
    told = case.evidence["rehearsal"]

    assert case.state is CaseState.RECOVERED
    assert told["actual_seconds"] == pytest.approx(told["predicted_seconds"], abs=1.0)
    assert "rehearsed" in {event.event for event in case.events}


def test_a_plan_without_quota_is_refused_before_anything_is_touched(tmp_path):
    """
    No room for a second instance is known beforehand: not one call changes anything until the next rung, which needs none.
    """
    limits = UNLIMITED.model_copy(update={"instances": 4})
    clinic = Clinic(tmp_path, scenario=Scenario(limits=limits))
    plan, situation = planned(clinic)
    seen = tried(clinic, plan, situation, quota=clinic.cloud.quota())

    assert "quota of instances" in seen.failed
    refusal = rehearsal.judge(seen, {}, subject="demo/shop/web/1")
    assert (refusal.reason, refusal.subject) == (Reason.REHEARSAL, "demo/shop/web/1")


def test_a_plan_that_cannot_succeed_touches_nothing(tmp_path):
    """
    The image was deleted from the cloud meanwhile: the rehearsal finds it, the case says so, not one create is sent, a person is called.
    """
    clinic = Clinic(tmp_path)
    images = clinic.cloud.world.images
    images["debian-13"] = dataclasses.replace(images.pop("debian-12"), name="debian-13")
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert case.state is CaseState.PAGED
    (refusal,) = [r for r in case.refusals if r.reason is Reason.REHEARSAL]
    assert "no image debian-12" in refusal.detail
    assert clinic.changes() == []


def test_a_plan_that_takes_too_many_away_is_refused(tmp_path):
    """
    The floor holds after each single step, in the worst order that the plan allows.
    """
    clinic = Clinic(tmp_path, service=a_service(count=2, min_healthy=1))
    plan, situation = planned(clinic, Rung.RESTART)
    others = tuple(
        step.model_copy(
            update={
                "id": step.id.replace("web-1", "web-0"),
                "needs": (),
                "instance": "demo-shop-web-0-g1",
            }
        )
        for step in plan.steps
        if step.kind == "restart-instance"
    )
    seen = tried(clinic, plan.model_copy(update={"steps": others}), situation)
    refusal = rehearsal.judge(seen, {POOL: 1}, subject="x")

    assert refusal is not None
    assert "only 0 members of demo-shop-web serve, 1 must" in refusal.detail
    assert rehearsal.judge(seen, {POOL: 0}, subject="x") is None


def test_a_zone_that_is_down_has_no_room(tmp_path):
    """
    Building where everything is down cannot succeed, and the rehearsal knows before the cloud does.
    """
    clinic = Clinic(tmp_path)
    plan, situation = planned(clinic)
    members = tuple(
        dataclasses.replace(m, well=False, silent=True) if m.zone == "az2" else m
        for m in situation.pattern.members
    )
    pattern = dataclasses.replace(
        situation.pattern, members=members, recalled=frozenset({"zone az2"})
    )
    seen = tried(clinic, plan, dataclasses.replace(situation, pattern=pattern))

    assert "No valid host" in seen.failed
