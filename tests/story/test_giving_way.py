"""
A deploy and a burning budget: refused before, stopped between two steps, and done when a person insists.
"""

import pytest

from fournines.model.desired import Platform
from fournines.model.refusal import Reason
from fournines.store.protocol import AlertRecord
from tasks import deployment, leasing, reconciliation
from tasks.audience import Audience
from tests.story.clinic import Clinic

BEFORE = {f"demo-shop-web-{slot}-g1": 1 for slot in range(4)}


@pytest.fixture
def clinic(tmp_path):
    """
    A service of four members that all serve.
    """
    return Clinic(tmp_path)


def burn(clinic: Clinic, status: str = "firing") -> None:
    """
    The service's budget burns, or has stopped burning.
    """
    now = clinic.clock.now()
    record = AlertRecord(
        key="burn@1",
        fingerprint="burn",
        name="BudgetBurnMinute",
        status=status,
        labels={
            "platform": "demo",
            "service": "shop",
            "severity": "heal",
            "tier": "burn",
        },
        starts_at=now,
        received_at=now,
    )
    clinic.store.inbox.put([record])


def changed(clinic: Clinic, **group) -> Platform:
    """
    The platform with another group: new instances for all.
    """
    service = clinic.platform.service("shop")
    groups = (service.groups[0].model_copy(update=group),)
    return clinic.platform.model_copy(
        update={"services": (service.model_copy(update={"groups": groups}),)}
    )


NEW_DATA = "#cloud-config\n# 2\n"


def test_a_roll_waits_until_the_burn_has_ended(clinic):
    """
    Refused with the reason, nothing touched and nothing remembered; afterwards it goes.
    """
    burn(clinic)
    result = deployment.deploy(clinic.workshop, changed(clinic, user_data=NEW_DATA))

    assert [refusal.reason for refusal in result.refusals] == [Reason.BURNING]
    assert (clinic.members(), clinic.changes()) == (BEFORE, [])
    assert clinic.plan_is_empty()
    burn(clinic, "resolved")
    assert deployment.deploy(clinic.workshop, changed(clinic, user_data=NEW_DATA)).ok
    assert set(clinic.members()) == {f"demo-shop-web-{slot}-g2" for slot in range(4)}


def test_a_person_may_insist(clinic):
    """
    The change may be the cure.
    """
    burn(clinic)
    desired = changed(clinic, user_data=NEW_DATA)

    assert deployment.deploy(clinic.workshop, desired, insist=True).ok


def test_scaling_out_is_no_matter_of_waiting(clinic):
    """
    More members help a service that burns; fewer do not.
    """
    burn(clinic)

    assert deployment.scale(clinic.workshop, "shop", 5).ok
    refused = deployment.scale(clinic.workshop, "shop", 4)
    assert [refusal.reason for refusal in refused.refusals] == [Reason.BURNING]
    assert len(clinic.members()) == 5


def test_a_roll_under_way_stops_between_two_steps(clinic):
    """
    The burn begins when the first new member serves: no step begins after that, the lease is free, the timer does not go on with it,
    and run again after the burn it ends where it was asked to.
    """
    begun = []

    def watch(progress):
        if progress.state == "begun":
            begun.append(progress.step)
        if progress.state == "done" and progress.kind == "await-serving":
            burn(clinic)

    desired = changed(clinic, user_data=NEW_DATA)
    result = deployment.deploy(clinic.workshop, desired, audience=Audience(watch=watch))

    assert not result.ok
    assert "burns its budget" in result.sentence()
    deleted = clinic.changes().count("delete_instance")
    assert deleted < 4
    assert sum(clinic.members().values()) >= 4
    assert clinic.store.leases.current(leasing.of_service("demo", "shop")) is None
    (timer,) = reconciliation.reconcile(clinic.workshop)
    assert "burns its budget" in timer.sentence()
    assert clinic.changes().count("delete_instance") == deleted

    burn(clinic, "resolved")
    assert deployment.deploy(clinic.workshop, desired).ok
    assert sorted(name[:15] for name in clinic.members()) == [
        f"demo-shop-web-{slot}" for slot in range(4)
    ]
    assert deployment.plan(clinic.workshop, desired)[0].empty
