"""
Batch yields: a service that has more to do than it can gets the room of batch workers first, and its case tells of it.
"""

from __future__ import annotations

import dataclasses

import pytest

from fournines.model.case import CaseState, Diagnosis
from fournines.model.desired import Group, Service
from fournines.objects.memory import MemoryObjects
from tasks import deployment
from tasks.batch import desk as desks
from tasks.batch import tending, yielding
from tasks.batch.simulated import SimulatedEngine, SimulatedSlurm
from tests.contract.batch_contract import LONG, order
from tests.story import test_batch_jobs
from tests.story.test_causes import MEMBERS, saturated

PARAMETERS = test_batch_jobs.PARAMETERS | {"drain_seconds": 30}
"""What the rules of batch read."""


def a_batch_service(**parameters) -> Service:
    """
    A controller and four workers.
    """
    groups = tuple(
        Group(
            name=name,
            count=count,
            identity="ordinal",
            image="debian-12",
            flavor="m1.tiny",
            network="demo-network",
            zones=("az1", "az2", "az3"),
        )
        for name, count in (("controller", 1), ("workers", 4))
    )
    return Service(
        platform="demo",
        name="jobs",
        blueprint="batch",
        blueprint_version="1.0.0",
        parameters=PARAMETERS | parameters,
        groups=groups,
    )


def beside_batch(tmp_path, **parameters):
    """
    A web service with too much to do, and a batch service on the same platform.
    """
    clinic = saturated(tmp_path, count_max=8)
    engine = SimulatedEngine(clinic.clock)
    objects = MemoryObjects(clinic.clock)
    clinic.workshop = dataclasses.replace(
        clinic.workshop,
        operators={
            **clinic.workshop.operators,
            "batch": lambda w: SimulatedSlurm(engine, w.clock),
        },
        objects=objects.open,
    )
    known = clinic.store.registry.platform("demo")
    services = (*known.services, a_batch_service(**parameters))
    wanted = known.model_copy(update={"services": services})
    result = deployment.deploy(clinic.workshop, wanted, only="jobs")
    assert result.ok, result.sentence()
    clinic.wake()
    clinic.settle(5)
    clinic.alert(MEMBERS[0], "MemberSlow")
    return clinic, engine


def workers(clinic) -> int:
    """As asked for now."""
    service = clinic.store.registry.platform("demo").service("jobs")
    return service.group("workers").count


def test_batch_workers_go_first_and_the_case_goes_on(tmp_path):
    """
    Four workers with nothing to do are gone before the service grows, the case says so by policy's name, and ends as it would have.
    """
    clinic, _ = beside_batch(tmp_path)
    (case,) = clinic.heal()

    (said,) = [e for e in case.events if e.event == "batch_yields"]
    assert said.text == (
        "workers of batch service jobs drained from 4 to 0 first, by policy `yields`"
    )
    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.SATURATED)
    assert workers(clinic) == 0
    assert len(clinic.members()) == 6


def test_workers_that_take_long_hold_nobody_up(tmp_path):
    """
    Tasks that run on are given back once their time to leave is over; the case goes on either way.
    """
    clinic, engine = beside_batch(tmp_path)
    engine.submit(LONG, order("long-1", array="0-3"))
    engine.tasks()
    (case,) = clinic.heal()

    (said,) = [e for e in case.events if e.event == "batch_yields"]
    assert "drained from 4 to 0 first" in said.text
    assert case.state is CaseState.RECOVERED
    (waiting,) = {(one.stage, one.restarts) for one in engine.tasks()}
    assert waiting == ("waiting", 1)


@pytest.mark.parametrize(
    ("parameters", "left"),
    [
        pytest.param({"yields": False}, 4, id="its-owner-does-not-want-it"),
        pytest.param({"workers_min": 4}, 4, id="it-has-none-to-give"),
    ],
)
def test_who_does_not_yield_is_not_told_of(tmp_path, parameters, left):
    """
    The case is healed without it, and says nothing of it.
    """
    clinic, _ = beside_batch(tmp_path, **parameters)
    (case,) = clinic.heal()

    assert case.state is CaseState.RECOVERED
    assert [e for e in case.events if e.event == "batch_yields"] == []
    assert workers(clinic) == left


def test_a_batch_service_that_says_nothing_holds_nobody_up(tmp_path):
    """
    Its controller is away: that stands in the case, and the service grows all the same.
    """
    clinic, engine = beside_batch(tmp_path)
    engine.silent = True
    (case,) = clinic.heal()

    (said,) = [e for e in case.events if e.event == "batch_yields"]
    assert "jobs should yield, and could not be told: " in said.text
    assert case.state is CaseState.RECOVERED
    assert workers(clinic) == 4


def test_the_room_is_left_for_a_while(tmp_path):
    """
    Waiting tasks bring no workers while the case is fresh; ten minutes after it they do.
    """
    clinic, engine = beside_batch(tmp_path)
    clinic.heal()
    engine.submit(LONG, order("wait-1", array="0-2"))

    def look() -> int:
        service = clinic.store.registry.platform("demo").service("jobs")
        desk = desks.at(clinic.workshop, service)
        return tending.decide(desk, 0, yielding.lacking_room(desk)).count

    assert look() == 0
    clinic.settle(yielding.HOLD.total_seconds() + 1)
    assert look() == 3
