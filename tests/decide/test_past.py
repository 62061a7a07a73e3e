"""
What a service was asked to be before its last changes.
"""

from datetime import timedelta

import pytest

from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.desired import Group, Platform, Service
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec
from fournines.store.memory import MemoryStore
from fournines.store.protocol import PAST_MAX
from fournines.store.sql import open_store
from tests.decide.slot_world import NOW


@pytest.fixture(params=["sqlite", "memory"])
def registry(request):
    """
    The registry of an empty store of each kind.
    """
    if request.param == "memory":
        yield MemoryStore(VirtualClock()).registry
        return
    store = open_store("sqlite://")
    yield store.registry
    store.close()


def a_service(image: str, name: str = "shop") -> Service:
    """
    A service of one group.
    """
    group = Group(name="web", count=2, image=image, flavor="tiny", network="net")
    return Service(
        platform="demo",
        name=name,
        blueprint="web",
        blueprint_version="1",
        groups=(group,),
    )


def a_platform(*services: Service) -> Platform:
    """
    A platform of these services.
    """
    network = NetworkSpec(name="net", owner=Owner(platform="demo"))
    return Platform(name="demo", network=network, services=services)


def images(registry, service="shop"):
    """
    The images of what was, newest first.
    """
    return [p.service.groups[0].image for p in registry.past("demo", service)]


def test_each_change_leaves_what_was(registry):
    """
    Putting something else keeps what was there until then; putting the same again keeps nothing.
    """
    later = NOW + timedelta(minutes=1)
    registry.put_platform(a_platform(a_service("a"), a_service("x", "db")), at=NOW)
    registry.put_service(a_service("a"), at=NOW)
    assert images(registry) == []

    registry.put_service(a_service("b"), at=later)
    registry.put_platform(a_platform(a_service("c"), a_service("x", "db")), at=later)

    assert images(registry) == ["b", "a"]
    assert images(registry, "db") == []
    assert registry.past("demo", "shop")[1].until == later


def test_only_the_last_changes_are_kept(registry):
    """
    However often a service changes, a limited number of its past states is kept.
    """
    registry.put_platform(a_platform(a_service("i0")), at=NOW)
    for number in range(1, PAST_MAX + 4):
        registry.put_service(a_service(f"i{number}"), at=NOW)

    assert images(registry) == [f"i{n}" for n in range(PAST_MAX + 2, 2, -1)]


def test_a_removed_service_is_remembered(registry):
    """
    Removing a service leaves its past, so that deploying it anew by mistake can be taken back as well.
    """
    registry.put_platform(a_platform(a_service("a")), at=NOW)
    registry.put_service(a_service("b"), at=NOW)
    registry.remove_service("demo", "shop")

    assert images(registry) == ["a"]
