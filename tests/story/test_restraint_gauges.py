"""
What keeps healing back is counted and said, everywhere in the same words.
"""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from flows.restraint_gauges import RestraintGauges
from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine, Strike
from fournines.store.switches import HEALING
from tasks import pausing, restraints
from tests.story.clinic import Clinic, a_service


@pytest.fixture
def clinic(tmp_path):
    """
    A single member with a volume that serves badly: its healing must ask.
    """
    service = a_service(count=1, min_healthy=1)
    group = service.groups[0].model_copy(update={"volume_size_gb": 10})
    return Clinic(tmp_path, service=service.model_copy(update={"groups": (group,)}))


def scraped(clinic: Clinic) -> dict[str, float]:
    """
    The gauges' values, without their common beginning.
    """
    registry = CollectorRegistry()
    registry.register(RestraintGauges(clinic.store, clinic.clock))
    return {
        sample.name.removeprefix("fournines_"): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


CALM = {
    "pauses": 0,
    "maintenance_windows_open": 0,
    "builds_quarantined": 0,
    "approvals_waiting": 0,
    "approvals_left_seconds": 0,
}


def test_each_restraint_is_counted_and_said(clinic):
    """
    Nothing holds; then a case asks, the switch is off, a place is paused, a window is open, a build is held; and what has ended is gone.
    """
    assert scraped(clinic) == CALM
    assert restraints.sentences(clinic.store, clinic.clock.now()) == ()

    clinic.cloud.break_instance("demo-shop-web-0-g1", Behaviour.GREY_ERRORS)
    clinic.alert("demo-shop-web-0-g1", "MemberErrors")
    (case,) = clinic.heal()
    assert CaseState.AWAITING is case.state
    now = clinic.clock.now()
    hour = timedelta(hours=1)
    store = clinic.store
    store.switches.set(HEALING, on=False, by="ann", why="game day", at=now)
    subject = pausing.subject(store.registry, "shop")
    store.pauses.put(Pause(subject=subject, by="bob", at=now, until=now + hour))
    window = MaintenanceWindow(begins=now, until=now + hour)
    service = clinic.platform.service("shop")
    store.registry.put_service(
        service.model_copy(update={"maintenance": (window,)}), at=now
    )
    build = Quarantine(digest="d", image="debian-12", place="demo/shop/web")
    for name in ("a", "b"):
        build = build.struck(Strike(instance=name, case="c", at=now))
    store.quarantines.put(build)

    found = scraped(clinic)
    assert found.pop("approvals_left_seconds") > 1700
    assert found == dict.fromkeys(found, 1)
    said = restraints.sentences(store, now)
    assert [
        part in sentence
        for part, sentence in zip(
            ("game day", "paused by bob", "in maintenance", "quarantine", case.id),
            said,
            strict=True,
        )
    ] == [True] * 5

    clinic.settle(3600)
    assert scraped(clinic)["pauses"] == 0
    assert scraped(clinic)["maintenance_windows_open"] == 0
    assert len(restraints.sentences(store, clinic.clock.now())) == 3
