"""
Our own transactions through endpoints, and what clusters say of themselves, as the healer measures them.
"""

from __future__ import annotations

import dataclasses
import threading

import pytest
from prometheus_client import CollectorRegistry

from blueprints import lifecycles
from flows.cluster_gauges import ClusterGauges
from flows.healer_view import View
from flows.transactions import Transactions
from fournines.model.transaction import Transaction
from tests.story.clinic import Clinic, a_service


class Scripted:
    """
    A transactor whose outcomes are given; it waits while it is told to.
    """

    def __init__(self) -> None:
        self.ok = True
        self.tries = 0
        self.broken = False
        self.go = threading.Event()
        self.go.set()

    def perform(self, service, inventory, *, timeout_seconds):
        """
        Try once.
        """
        self.tries += 1
        self.go.wait(10)
        if self.broken:
            raise RuntimeError("a mistake of ours")
        return Transaction(
            at=inventory.at,
            ok=self.ok,
            seconds=0.02 if self.ok else timeout_seconds,
            error="" if self.ok else "no answer",
        )


@pytest.fixture
def clinic(tmp_path):
    """
    A quorum of three that are well.
    """
    service = a_service(count=3, min_healthy=1)
    group = service.groups[0].model_copy(
        update={"identity": "ordinal", "volume_size_gb": 1}
    )
    return Clinic(
        tmp_path,
        service=service.model_copy(
            update={"blueprint": lifecycles.QUORUM, "groups": (group,)}
        ),
    )


@pytest.fixture
def tried(clinic):
    """
    The transactions of that quorum.
    """
    scripted = Scripted()
    workshop = dataclasses.replace(
        clinic.workshop, transactions={lifecycles.QUORUM: lambda _w: scripted}
    )
    view = View(workshop)
    view.refresh()
    registry = CollectorRegistry()
    return Transactions(workshop, view, registry), scripted, registry


def played(transactions, times=1):
    """
    So many rounds, each ended.
    """
    for _ in range(times):
        transactions.round()
        for running in list(transactions._running.values()):
            running.exception(timeout=10)
    transactions._gather()


def count(registry, outcome):
    """
    Transactions counted.
    """
    labels = {"platform": "demo", "service": "shop", "outcome": outcome}
    return registry.get_sample_value("fournines_transactions_total", labels) or 0


def test_each_round_counts_one_outcome(tried):
    """
    Good and failed ones are counted apart, with their time, and the last one can be looked at.
    """
    transactions, scripted, registry = tried
    played(transactions, 3)
    scripted.ok = False
    played(transactions, 2)

    assert (count(registry, "ok"), count(registry, "failed")) == (3, 4), (
        "one that takes a second and a half counts for two"
    )
    assert transactions.recent("demo", "shop")[-1].error == "no answer"
    labels = {"platform": "demo", "service": "shop", "outcome": "ok"}
    seconds = registry.get_sample_value("fournines_transaction_seconds_count", labels)
    assert seconds == 3


def test_a_hanging_service_costs_one_thread(tried):
    """
    While a try has not ended, rounds begin no other.
    """
    transactions, scripted, registry = tried
    scripted.go.clear()
    for _ in range(5):
        transactions.round()
    scripted.go.set()
    played(transactions)

    assert scripted.tries <= 2
    assert count(registry, "ok") == scripted.tries


def test_a_mistake_of_ours_is_no_failed_transaction(tried):
    """
    What our own code breaks says nothing about the service.
    """
    transactions, scripted, registry = tried
    scripted.broken = True
    played(transactions, 2)

    assert (count(registry, "ok"), count(registry, "failed")) == (0, 0)
    assert transactions.recent("demo", "shop") == ()


def test_services_without_one_are_not_tried(clinic):
    """
    Nobody speaks for the blueprint: nothing runs, nothing is counted.
    """
    registry = CollectorRegistry()
    transactions = Transactions(clinic.workshop, clinic.view, registry)
    played(transactions, 2)

    assert transactions.recent("demo", "shop") == ()


def gauges(clinic):
    """
    Samples of the cluster's gauges by name.
    """
    registry = CollectorRegistry()
    found = ClusterGauges(clinic.workshop, clinic.view)
    registry.register(found)
    found.read()
    return {
        (sample.name, sample.labels.get("slot", "")): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def test_what_a_cluster_says_is_measured(clinic):
    """
    Members, voters, votes, quorum, leader and each one's lag.
    """
    seen = gauges(clinic)

    assert seen["fournines_cluster_known", ""] == 1
    assert seen["fournines_cluster_members", ""] == 3
    assert seen["fournines_cluster_voters", ""] == 3
    assert seen["fournines_cluster_votes", ""] == 3
    assert seen["fournines_cluster_quorum", ""] == 2
    assert seen["fournines_cluster_leader_known", ""] == 1
    assert seen["fournines_cluster_problems", ""] == 0
    assert seen["fournines_cluster_lag_bytes", "1"] == 0


def test_silence_is_measured_as_silence(clinic):
    """
    A cluster that cannot be asked is not known, and none of its last numbers is left.
    """
    clinic.operator.silent = True

    assert gauges(clinic) == {("fournines_cluster_known", ""): 0.0}
