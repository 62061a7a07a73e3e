"""
The database's transaction over a session that answers as PostgreSQL does.
"""

from __future__ import annotations

from contextlib import contextmanager

import psycopg
import pytest

from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.inventory import LoadBalancer
from tasks.transactions.postgres import PostgresTransactor
from tests.contract.members import access, cluster


class Table:
    """
    A session with a table, without one yet, with one that forgets, or with a primary that is none any more.
    """

    def __init__(self, behaviour: str) -> None:
        self.behaviour, self.word, self.dialled = behaviour, None, []
        self.marks: list[str] = []

    @contextmanager
    def dial(self, _access, address, port, timeout_seconds):
        """Open the session."""
        self.dialled.append((address, port, timeout_seconds))
        if self.behaviour == "silent":
            raise psycopg.OperationalError("connection timeout expired")
        yield self

    def execute(self, query, params=None):
        """One statement."""
        if "marks" in query:
            self.marks.append(query.split()[0])
            if query.startswith("WITH") and "CREATE" not in self.marks:
                raise psycopg.errors.UndefinedTable("no table")
        elif query.startswith("CREATE"):
            self.behaviour = "keeps"
        elif query.startswith("INSERT"):
            if self.behaviour == "new":
                raise psycopg.errors.UndefinedTable("no table")
            if self.behaviour == "replica":
                raise psycopg.errors.ReadOnlySqlTransaction("cannot\n  INSERT")
            self.word = params[0]
        return self

    def fetchone(self):
        """What was read."""
        return (self.word if self.behaviour == "keeps" else "another",)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("keeps", ""),
        ("new", ""),
        ("forgets", "another value came back"),
        ("replica", "cannot INSERT"),
        ("silent", "connection timeout expired"),
    ],
)
def test_a_row_is_written_and_read_back(behaviour, error):
    """
    Through the load balancer's address and the service's port, the table made at the first try; what fails is said in few words, never raised.
    """
    here = cluster("postgres", port=5432)
    balancer = LoadBalancer(
        id="1",
        name="demo-db-lb",
        provisioning_status="ACTIVE",
        operating_status="ONLINE",
        vip_address="10.0.0.9",
    )
    table = Table(behaviour)
    inventory = here.inventory.model_copy(update={"load_balancers": (balancer,)})
    transactor = PostgresTransactor(lambda _: access(), VirtualClock(), table.dial)
    service = here.service.model_copy(update={"name": "db"})

    tried = transactor.perform(service, inventory, timeout_seconds=1.5)

    assert (tried.ok, tried.error) == (not error, error)
    # A mark for restores to be known by, its table made at the first one.
    assert table.marks == ([] if error else ["WITH", "CREATE", "WITH"])
    assert table.dialled == [("10.0.0.9", 5432, 1.5)]


def test_without_a_load_balancer():
    """
    Nothing is dialled where nobody listens.
    """
    here = cluster("postgres", port=5432)
    table = Table("keeps")
    transactor = PostgresTransactor(lambda _: access(), VirtualClock(), table.dial)

    tried = transactor.perform(here.service, here.inventory, timeout_seconds=1.5)

    assert tried.error == "there is no load balancer"
    assert table.dialled == []
