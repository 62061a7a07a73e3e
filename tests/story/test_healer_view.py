"""
What the healer tells Prometheus to watch, and what it notices by itself.
"""

import pytest

from flows import healer_targets
from fournines.cloud.simulated import Behaviour, Fault, FaultKind
from fournines.model.specification import MemberSpec
from tests.story.clinic import BALANCER, POOL, Clinic

SICK = "demo-shop-web-1-g1"


@pytest.fixture
def clinic(tmp_path):
    """
    A service of four members that all serve.
    """
    return Clinic(tmp_path)


def watched(clinic):
    """
    Names of the instances that are discovered.
    """
    found = healer_targets.instances(clinic.view)
    return {instance.name for *_, instance in found}


def test_every_member_is_discovered_with_its_place(clinic):
    """
    A page to probe for each member, labelled as alerts name it.
    """
    targets = healer_targets.probes(clinic.view)

    assert len(targets) == 4
    assert targets[1]["labels"] == {
        "platform": "demo",
        "service": "shop",
        "group": "web",
        "slot": "1",
        "instance_name": SICK,
    }
    (address,) = targets[1]["targets"]
    assert address.startswith("http://10.")
    assert address.endswith(":8080/")


def test_a_member_that_boots_is_not_watched_yet(clinic):
    """
    A new member is watched from its first good check, or once it is old enough that it should serve.
    """
    service = clinic.platform.services[0]
    spec = service.instance(service.groups[0], 1, 2, "az1")
    clinic.cloud.break_image("debian-12")
    clinic.cloud.ensure_instance(spec, deadline_seconds=60)
    member = MemberSpec(instance=spec.name, port=8080)
    clinic.cloud.join_pool(BALANCER, POOL, [member], deadline_seconds=60)
    clinic.view.refresh()
    young = watched(clinic)
    clinic.settle(61)
    clinic.view.refresh()

    assert spec.name not in young
    assert spec.name in watched(clinic)


def test_a_dead_member_stays_watched(clinic):
    """
    Who has served and does not any more is what alerts are for.
    """
    clinic.cloud.vanish("demo-shop-web-0-g1")
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.settle(5)
    clinic.view.refresh()

    assert SICK in watched(clinic)
    assert "demo-shop-web-0-g1" not in watched(clinic)


def test_one_reading_alone_notices_nothing(clinic):
    """
    A change under way looks wrong in one reading; a fault looks wrong in two.
    """
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.settle(5)
    clinic.view.refresh()
    first = clinic.view.sightings()
    clinic.view.refresh()
    second = clinic.view.sightings()

    assert first == ()
    assert [sighting.subject.instance for sighting in second] == [SICK]


def test_a_deploy_at_work_is_not_a_fault(clinic):
    """
    While somebody holds the service, slots that look wrong are theirs.
    """
    clinic.cloud.vanish(SICK)
    clinic.view.refresh()
    clinic.view.sightings()
    clinic.view.refresh()
    clinic.store.leases.acquire(
        "demo/shop", holder="deploy", purpose="deploy", ttl_seconds=30
    )

    assert clinic.admissions.notice(clinic.view.sightings()) == ()


def test_an_outage_of_the_api_keeps_the_last_picture(clinic):
    """
    Prometheus must not forget what it watches because the cloud's API is away.
    """
    before = watched(clinic)
    clinic.cloud.inject(Fault(FaultKind.FAIL_BEFORE, call="inventory"))
    clinic.view.refresh()

    assert watched(clinic) == before
    assert clinic.view.complete
