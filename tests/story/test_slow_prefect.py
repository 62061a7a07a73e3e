"""
A Prefect that is alive and hangs: healing does not wait for it, and whoever comes second treats nothing.
"""

from __future__ import annotations

import threading

import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState
from tests.story.clinic import Clinic

SICK = "demo-shop-web-2-g1"


@pytest.fixture
def opened(tmp_path):
    """
    A service with one member that serves badly, and its case.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_instance(SICK, Behaviour.GREY_ERRORS)
    clinic.alert(SICK, "MemberErrors")
    (case,) = clinic.admissions.sort()
    return clinic, case


def test_a_run_that_does_not_begin_is_not_waited_for(opened):
    """
    The case is treated without it; when the run begins at last, it finds the case taken and touches nothing.
    """
    from flows.bedside import BEDSIDE
    from flows.heal import treat_in_flow

    clinic, case = opened
    locked, over = threading.Event(), threading.Event()
    claimed = []

    def begin(_case):
        locked.wait()
        claimed.append(BEDSIDE.get().claim())
        over.set()

    closed = treat_in_flow(clinic.ward, case.id, begin=begin, patience_seconds=0.01)
    locked.set()
    over.wait(10)

    assert closed.state is CaseState.RECOVERED
    names = {one.name for one in clinic.cloud.inventory("demo").instances}
    assert "demo-shop-web-2-g2" in names
    assert SICK not in names
    assert claimed == [False]


def test_a_run_that_cannot_begin_is_done_without_at_once(opened):
    """
    Prefect refuses the run: nobody waits, and the case is treated.
    """
    from flows.heal import treat_in_flow

    def begin(_case):
        raise ConnectionError("refused")

    clinic, case = opened
    closed = treat_in_flow(clinic.ward, case.id, begin=begin, patience_seconds=3_600)

    assert closed.state is CaseState.RECOVERED


def test_a_body_that_breaks_is_told(opened):
    """
    A mistake of ours inside the flow comes out of it, and the case is not treated twice.
    """
    from flows.bedside import BEDSIDE
    from flows.heal import treat_in_flow

    def begin(_case):
        assert BEDSIDE.get().claim()
        raise ArithmeticError("a mistake")

    clinic, case = opened
    with pytest.raises(ArithmeticError, match="a mistake"):
        treat_in_flow(clinic.ward, case.id, begin=begin)

    assert not clinic.store.cases.case(case.id).state.ended
