"""
Somebody asks for something else while another waits for the lease, or after a healer has died: what holds is what is asked for now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from fournines.cloud.simulated import Behaviour, Fault, FaultKind, Killed
from fournines.model.case import CaseState
from fournines.model.desired import instance_digest
from fournines.model.refusal import Reason
from fournines.planning import plan as planning
from fournines.planning.plan import Purpose
from tasks import deployment, reconciliation
from tasks.workshop import Workshop
from tests.story.clinic import Clinic
from tests.unwind.harness import PLATFORM, World, a_platform

SICK = "demo-shop-web-1-g1"


@pytest.fixture
def world() -> World:
    """
    A world in which a platform of three stands.
    """
    made = World()
    assert deployment.deploy(made.workshop(), a_platform(count=3)).ok
    return made


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    """
    A service of four members.
    """
    return Clinic(tmp_path)


def overtaken(workshop: Workshop, act: Callable[[], object]) -> Workshop:
    """
    A workshop whose owner is overtaken: somebody acts to the end the moment it first reaches for a lease.
    """
    waiting = [act]

    def holder() -> str:
        if waiting:
            waiting.pop()()
        return workshop.holder()

    return dataclasses.replace(workshop, holder=holder)


@pytest.mark.parametrize("count", [2, 4])
def test_the_timer_takes_no_scale_back(world, count):
    """
    The timer has read the old size when somebody scales: it leaves the service alone, and finds nothing to do when it comes again.
    """
    slow = overtaken(
        world.workshop(), lambda: deployment.scale(world.workshop(), "shop", count)
    )
    (one,) = reconciliation.reconcile(slow)

    assert "something else is asked for" in one.skipped
    (platform,) = world.store.registry.platforms()
    assert platform.services[0].groups[0].count == count
    assert len(world.resources()["instances"]) == count
    (again,) = reconciliation.reconcile(world.workshop())
    assert again.result.plan.empty


def test_two_scales_at_once(world):
    """
    The second was meant for another size than there is by now: it is refused, and can be asked for again.
    """
    slow = overtaken(
        world.workshop(), lambda: deployment.scale(world.workshop(), "shop", 4)
    )
    with pytest.raises(deployment.AskedAnew, match="shop"):
        deployment.scale(slow, "shop", 5)
    assert len(world.resources()["instances"]) == 4

    assert deployment.scale(slow, "shop", 5).ok
    assert len(world.resources()["instances"]) == 5


def test_what_is_deployed_again_is_not_destroyed_to_the_end(world):
    """
    A destroy was cut short, and the timer is about to finish it when somebody deploys the service again: its data stay.
    """
    cut_short = planning.make(
        purpose=Purpose.DESTROY,
        platform=PLATFORM,
        service="shop",
        made_at=world.clock.now(),
        steps=(),
    )
    world.store.registry.remove_service(PLATFORM, "shop")
    world.store.journal.open_plan(cut_short, holder="dead", at=world.clock.now())
    before = world.resources()

    def deploy_again() -> None:
        assert deployment.deploy(world.workshop(), a_platform(count=3)).ok

    told = reconciliation.reconcile(overtaken(world.workshop(), deploy_again))

    assert "ended by somebody else" in told[0].skipped
    assert world.resources() == before


def test_nothing_is_healed_that_is_destroyed_meanwhile(clinic):
    """
    The case was examined, and waits for the lease while a person destroys the service: nothing of it is built again.
    """
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.settle(1)
    clinic.alert(SICK)
    slow = overtaken(
        clinic.workshop,
        lambda: deployment.destroy(clinic.workshop, "demo", service="shop"),
    )
    clinic.ward = dataclasses.replace(clinic.ward, workshop=slow)
    (case,) = clinic.heal()

    assert [event.event for event in case.events if event.event == "diagnosed"]
    assert case.state is CaseState.REFUSED
    assert "ensure_instance" not in clinic.changes()
    assert not clinic.cloud.world.instances


def killed_while_healing(clinic: Clinic) -> None:
    """
    A healer died after it had asked for a new instance.
    """
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.settle(1)
    clinic.alert(SICK)
    clinic.cloud.inject(Fault(FaultKind.KILL_AFTER, call="ensure_instance", times=1))
    with pytest.raises(Killed):
        clinic.heal()
    clinic.cloud.calm()
    clinic.settle(31)


def test_a_dead_healers_plan_for_what_is_destroyed(clinic):
    """
    The next healer adopts the case and builds nothing: case and plan are closed.
    """
    killed_while_healing(clinic)
    assert deployment.destroy(clinic.workshop, "demo", service="shop").ok
    clinic.wake()
    (case,) = clinic.heal(clinic.store.cases.cases(open_only=True))

    assert case.state is CaseState.REFUSED
    assert clinic.changes() == []
    assert not clinic.store.journal.unfinished()


def test_a_dead_healers_plan_for_a_slot_that_is_scaled_away(clinic):
    """
    The same, where the service stays and the slot goes.
    """
    killed_while_healing(clinic)
    known = clinic.store.registry.platform("demo")
    fewer = known.services[0].groups[0].model_copy(update={"count": 1})
    service = known.services[0].model_copy(update={"groups": (fewer,)})
    clinic.store.registry.put_service(service, at=clinic.clock.now())
    for name in (SICK, "demo-shop-web-1-g2"):
        clinic.cloud.delete_instance(name, deadline_seconds=60)
    clinic.wake()
    (case,) = clinic.heal(clinic.store.cases.cases(open_only=True))

    assert case.refusals[-1].reason is Reason.STALE
    assert clinic.changes() == []
    assert not clinic.store.journal.unfinished()


def test_a_dead_healers_plan_of_an_older_release(clinic):
    """
    Another release is asked for by now: the slot gets an instance of that one, and none of the plan's.
    """
    killed_while_healing(clinic)
    known = clinic.store.registry.platform("demo")
    newer = (
        known.services[0]
        .groups[0]
        .model_copy(update={"user_data": "#cloud-config\nnew: true\n"})
    )
    service = known.services[0].model_copy(update={"groups": (newer,)})
    clinic.store.registry.put_service(service, at=clinic.clock.now())
    clinic.wake()
    (case,) = clinic.heal(clinic.store.cases.cases(open_only=True))

    assert case.state is CaseState.RECOVERED
    made = [i for i in clinic.cloud.world.instances.values() if "web-1-" in i.name]
    assert [one.owner.digest for one in made] == [instance_digest(newer)]
    assert not clinic.store.journal.unfinished()
