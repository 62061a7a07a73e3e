"""
What is kept of a message bus: when it is due, where it is put, which one is brought back, and what of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from blueprints.rabbitmq import keeping
from blueprints.rabbitmq.keeping import Kept, Policy
from fournines.model.objects import StoredObject
from fournines.model.refusal import Refusal

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def there(*hours_ago):
    """
    Definitions that were taken so long ago, each in an object of its own.
    """
    return keeping.kept(
        StoredObject(
            name=f"definitions/{number:04d}.json", size_bytes=9, at=NOW - hours * HOUR
        )
        for number, hours in enumerate(hours_ago)
    )


@pytest.mark.parametrize(
    ("hours_ago", "due"), [((), True), ((23,), False), ((30, 24), True), ((1, 30), False)]
)  # fmt: skip
def test_definitions_are_due_by_rhythm(hours_ago, due):
    """
    The newest counts, in whatever order the store lists them.
    """
    assert keeping.is_due(Policy(), there(*hours_ago), NOW) is due


def test_the_oldest_makes_way():
    """
    Free places first; then there are never more than asked for, and fewer are written to when fewer are asked for.
    """
    policy = Policy(kept=3)
    assert keeping.place(policy, ()) == "definitions/0000.json"
    assert keeping.place(policy, there(9, 8)) == "definitions/0002.json"
    assert keeping.place(policy, there(7, 9, 8)) == "definitions/0001.json"
    assert keeping.place(Policy(kept=1), there(7, 9, 8)) == "definitions/0000.json"


@pytest.mark.parametrize(
    ("hours_ago", "wish", "chosen"),
    [
        pytest.param((30, 6), {}, 6, id="newest"),
        pytest.param((30, 6), {"to": NOW - 7 * HOUR}, 30, id="before-a-moment"),
        pytest.param((30, 6), {"label": "20261126-060000"}, 30, id="by-label"),
        pytest.param((), {}, "take it now: fournines backup bus", id="nothing-kept"),
        pytest.param((6,), {"to": NOW + HOUR}, "is in the future", id="future"),
        pytest.param((6,), {"label": "x"}, "bus has no backup x", id="unknown"),
        pytest.param((6,), {"to": NOW - 7 * HOUR}, "is before the first", id="early"),
    ],
)
def test_which_one_is_brought_back(hours_ago, wish, chosen):
    """
    Or one sentence that says why none is.
    """
    found = keeping.chosen("bus", there(*hours_ago), NOW, **wish)

    if isinstance(chosen, str):
        assert isinstance(found, Refusal)
        assert chosen in found.detail
    else:
        assert isinstance(found, Kept)
        assert found.at == NOW - chosen * HOUR


def test_nobodys_password_and_nothing_of_the_platforms_own_comes_back():
    """
    What applications hold: their vhosts, and what is in them.
    """
    said = {
        "rabbit_version": "3.10.8",
        "users": [{"name": "app", "password_hash": "h"}],
        "permissions": [{"user": "app", "vhost": "main"}],
        "global_parameters": [{"name": "cluster_name"}],
        "vhosts": [{"name": "main"}, {"name": "/"}],
        "queues": [{"name": "paid", "vhost": "main"}, {"name": "probe", "vhost": "/"}],
    }

    found = keeping.importable(said)

    assert found["vhosts"] == [{"name": "main"}]
    assert found["queues"] == [{"name": "paid", "vhost": "main"}]
    assert set(found) == set(keeping.PARTS)


def test_who_is_backed_up():
    """
    Every bus unless its owner says otherwise, and nobody else.
    """
    assert keeping.policy_of("rabbitmq", {}) == Policy()
    assert keeping.policy_of("rabbitmq", {"backups": {"enabled": False}}) is None
    assert keeping.policy_of("cache", {}) is None
