"""
A thousand requests that name what is somebody else's: another platform's, another service's, a stranger's, or nothing at all. Nothing is touched.
"""

from __future__ import annotations

import random

import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.ownership import Owner
from fournines.model.specification import InstanceSpec
from tasks import deployment
from tests.story.clinic import Clinic, a_service
from tests.story.test_causes import renamed

REQUESTS = 1_000
STRANGER = "somebodys-shop-web-0-g1"
OURS = [f"demo-shop-web-{slot}-g1" for slot in range(4)]
NEIGHBOURS = [f"demo-store-web-{slot}-g1" for slot in range(2)]
ELSEWHERE = "other-shop-web-1-g1"
ODD = ("", "../demo-shop-web-1-g1", "demo-shop-web-1-g1;reboot", "*", "DEMO-SHOP")


@pytest.fixture
def clinic(tmp_path):
    """
    Two services of one platform, an instance of another platform, and a stranger's; some of them sick, none of ours.
    """
    made = Clinic(tmp_path)
    store = renamed(a_service(count=2, min_healthy=1), "store")
    shop = made.platform.services[0]
    made.platform = made.platform.model_copy(update={"services": (store, shop)})
    assert deployment.deploy(made.workshop, made.platform).ok
    made.cloud.plant("instance", STRANGER)
    made.cloud.ensure_network(
        made.platform.network.model_copy(
            update={"name": "other-network", "owner": Owner(platform="other")}
        ),
        deadline_seconds=60,
    )
    group = shop.groups[0]
    made.cloud.ensure_security_group(
        group.security_group.model_copy(
            update={"name": "other-shop-web", "owner": Owner(platform="other")}
        ),
        deadline_seconds=60,
    )
    made.cloud.ensure_instance(
        InstanceSpec(
            name=ELSEWHERE,
            owner=Owner(
                platform="other", service="shop", group="web", slot=1, generation=1
            ),
            image="debian-12",
            flavor="m1.tiny",
            network="other-network",
            zone="az1",
        ),
        deadline_seconds=60,
    )
    made.settle(40)
    made.cloud.break_instance(ELSEWHERE, Behaviour.HANG, sticky=True)
    made.view.refresh()
    made.cloud.calls.clear()
    return made


def test_a_thousand_requests_about_others(clinic):
    """
    Whatever platform, service, group, slot and instance an alert combines, as long as it does not name a place of ours with its own member,
    nothing of anybody changes, not even a weight.
    """
    chance = random.Random(16)
    before = {n: r.status for n, r in clinic.cloud.world.instances.items()}
    for number in range(REQUESTS):
        instance = chance.choice([STRANGER, ELSEWHERE, *NEIGHBOURS, *ODD])
        asked = {
            "platform": chance.choice(["demo", "other", "", "demo/../other"]),
            "service": chance.choice(["shop", "other", "nobody", ""]),
            "group": chance.choice(["web", "db", ""]),
            "slot": chance.choice(["0", "1", "99", "-1", "x"]),
        }
        clinic.alert(
            instance,
            chance.choice(["ProbeFail", "MemberErrors"]),
            **asked,
            n=f"{number}",
        )
        if number % 100 == 0:
            clinic.heal()
            clinic.settle(1)
    clinic.heal()

    changing = [
        call
        for call in clinic.cloud.calls
        if call.name not in {"inventory", "quota", "pool", "console"}
    ]
    assert changing == []
    assert {n: r.status for n, r in clinic.cloud.world.instances.items()} == before
    assert clinic.members() == dict.fromkeys(OURS, 1)
    about = {case.subject.instance for case in clinic.store.cases.cases(limit=5_000)}
    assert STRANGER not in about
    assert ELSEWHERE not in about
