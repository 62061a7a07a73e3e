"""
The cache's transaction over a line that answers as Redis does.
"""

from __future__ import annotations

from typing import Self

import pytest

from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.inventory import LoadBalancer
from tasks.operators import ClusterSilent
from tasks.transactions.cache import CacheTransactor
from tests.contract.members import access, cluster


class Shelf:
    """
    One line to a Redis that keeps, forgets or says nothing.
    """

    def __init__(self, behaviour: str) -> None:
        self.behaviour, self.kept, self.dialled = behaviour, {}, []

    def dial(self, _access, address, port, timeout_seconds) -> Self:
        """Open the line."""
        self.dialled.append((address, port, timeout_seconds))
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        return None

    def say(self, *words):
        """An answer."""
        if self.behaviour == "silent":
            raise ClusterSilent("telling", "Timeout reading from socket")
        if words[0] == "SET":
            self.kept[words[1]] = words[2]
            return "OK"
        return self.kept[words[1]] if self.behaviour == "keeps" else None


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("keeps", ""),
        ("forgets", "another value came back"),
        ("silent", "Timeout reading from socket"),
    ],
)
def test_a_value_is_set_and_read_back(behaviour, error):
    """
    Through the load balancer's address and the service's port; what fails is said in few words, never raised.
    """
    here = cluster("cache", port=6379)
    balancer = LoadBalancer(
        id="b",
        name="demo-svc-lb",
        provisioning_status="ACTIVE",
        operating_status="ONLINE",
        vip_address="10.0.0.2",
    )
    inventory = here.inventory.model_copy(update={"load_balancers": (balancer,)})
    shelf = Shelf(behaviour)
    transactor = CacheTransactor(lambda _: access(), VirtualClock(), shelf.dial)
    seen = transactor.perform(here.service, inventory, timeout_seconds=1.5)

    assert (seen.ok, seen.error) == (not error, error)
    assert shelf.dialled == [("10.0.0.2", 6379, 1.5)]


def test_a_service_without_a_load_balancer():
    """
    There is nowhere to try: said, not raised.
    """
    here = cluster("cache", port=6379)
    shelf = Shelf("keeps")
    transactor = CacheTransactor(lambda _: access(), VirtualClock(), shelf.dial)

    seen = transactor.perform(here.service, here.inventory, timeout_seconds=1.5)
    assert (seen.ok, seen.error) == (False, "there is no load balancer")
