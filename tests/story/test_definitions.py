"""
A bus' definitions on their way out and back, over the management API as respx tells of it, with the simulated cloud and object store.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import respx

from fournines.cloud.simulated import Scenario, SimulatedCloud
from fournines.model.inventory import Flavor, Image
from tasks import archiving, definitions, deployment, rounds, vaults
from tasks.archiving import NotBackedUp
from tasks.operators.simulated import SimulatedOperator
from tasks.restoring import RestoreRefused
from tests.story.test_restoring import compiled
from tests.unwind.harness import World

TEXT = """\
platform: demo
services:
  bus: {blueprint: rabbitmq, parameters: {count: 3}}
  other: {blueprint: rabbitmq, parameters: {backups: {enabled: false}}}
"""
HELD = {
    "users": [{"name": "app", "password_hash": "secret-hash"}],
    "vhosts": [{"name": "main"}, {"name": "/"}],
    "queues": [{"name": "paid", "vhost": "main", "durable": True}],
}


class Rig:
    """
    Two buses that are deployed, and their management APIs.
    """

    def __init__(self, router, *, objects=True) -> None:
        self.world = World()
        scenario = Scenario(
            objects=objects,
            images=(Image(id="i", name="rabbitmq"),),
            flavors=(
                Flavor(id="f", name="m1.medium", vcpus=2, ram_mb=1024, disk_gb=4),
            ),
        )
        self.world.cloud = SimulatedCloud(scenario, self.world.clock)
        operator = SimulatedOperator(self.world.cloud, self.world.clock)
        self.workshop = replace(
            self.world.workshop(), operators={"rabbitmq": lambda _: operator}
        )
        done = deployment.deploy(self.workshop, compiled(TEXT))
        assert done.ok, done.sentence()
        self.made = []
        self.silent = set()
        router.route(path="/api/definitions").mock(side_effect=self.answer)

    @property
    def platform(self):
        """As it is registered."""
        return self.world.store.registry.platform("demo")

    def answer(self, request):
        """One node's word."""
        if request.url.host in self.silent:
            raise httpx.ConnectTimeout("late")
        if request.method == "GET":
            return httpx.Response(200, json=HELD)
        self.made.append((request.url.host, json.loads(request.content)))
        return httpx.Response(204)

    def addresses(self, service):
        """Where a bus' nodes are."""
        seen = self.world.cloud.inventory("demo", service).instances
        return {one.address for one in seen}


@pytest.fixture
def rig():
    """Both buses are well."""
    with respx.mock(assert_all_called=False) as router:
        yield Rig(router)


def test_definitions_go_out_sealed_and_come_back_into_another_bus(rig):
    """
    Nobody's password is in what is kept, nothing of it is readable without the cipher, and the other bus is told to make what it lacks.
    """
    made = definitions.backup(rig.workshop, rig.platform, "bus")

    vault = vaults.opened(rig.workshop, "demo", "bus")
    content = vault.store.read(vault.bucket, made.name)
    assert content.startswith(b"Salted__")
    assert b"paid" not in content
    back = definitions.restore(rig.workshop, rig.platform, "bus", "other")
    ((host, told),) = rig.made
    assert host in rig.addresses("other")
    assert told["queues"] == HELD["queues"]
    assert told["vhosts"] == [{"name": "main"}]
    assert "users" not in told
    assert "1 vhosts, 1 queues brought back" in back.sentence()


def test_a_node_that_is_silent_is_passed_by(rig):
    """
    Any node speaks for all; when none does, that is said and nothing is kept.
    """
    nodes = sorted(rig.addresses("bus"))
    rig.silent = set(nodes[:2])
    assert definitions.backup(rig.workshop, rig.platform, "bus").size_bytes

    rig.silent = set(nodes)
    (one,) = rounds_after(rig, hours=25)
    assert "asking demo-bus-bus for its definitions" in one.error
    assert len(definitions.read(rig.workshop, "demo", "bus")) == 1


def rounds_after(rig, *, hours):
    """
    What the next round comes to.
    """
    rig.world.clock.advance(timedelta(hours=hours).total_seconds())
    return rounds.backups(rig.workshop)


def test_the_round_takes_what_is_due_of_those_who_want_it(rig):
    """
    At once, and then daily; never of a bus whose owner wants none.
    """
    assert [one.service for one in rounds_after(rig, hours=0)] == ["bus"]
    assert rounds_after(rig, hours=12) == ()
    assert [one.service for one in rounds_after(rig, hours=12)] == ["bus"]
    with pytest.raises(NotBackedUp, match="switched off"):
        definitions.backup(rig.workshop, rig.platform, "other")


def test_a_cloud_without_objects_lets_a_bus_go_without():
    """
    Nobody is woken every hour for what is not there; whoever asks is told.
    """
    with respx.mock(assert_all_called=False) as router:
        rig = Rig(router, objects=False)
        assert rounds.backups(rig.workshop) == ()
        with pytest.raises(Exception, match="has no S3"):
            definitions.backup(rig.workshop, rig.platform, "bus")


def test_a_bus_has_no_data_to_clone(rig):
    """
    Whoever takes it for a database is told what there is instead.
    """
    with pytest.raises(NotBackedUp, match="definitions are kept"):
        archiving.wanted(rig.platform, "bus")


def test_nothing_is_brought_back_from_nothing(rig):
    """
    Before anything was kept, and into what is no bus.
    """
    for new, said in (("other", "nothing is kept of bus yet"), ("db", "is none of")):
        with pytest.raises(RestoreRefused, match=said):
            definitions.restore(rig.workshop, rig.platform, "bus", new)
    assert rig.made == []
