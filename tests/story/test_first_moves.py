"""
First moves that had to wait: what they counted on is looked at again before they are sent.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from flows.first_moves import FirstMoves
from flows.glance import Glance
from fournines.store.protocol import StoreError
from tests.story.clinic import Clinic

SICK, NEXT = "demo-shop-web-0-g1", "demo-shop-web-1-g1"


class Late(Executor):
    """
    Runs what was submitted when it is told to.
    """

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """
        Keep it.
        """
        future: Future[Any] = Future()
        self.waiting.append(lambda: future.set_result(fn(*args, **kwargs)))
        return future

    def run(self) -> None:
        """
        All that waits, in order.
        """
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


@pytest.mark.parametrize(
    ("waited_seconds", "moved"),
    [
        pytest.param(0.1, [SICK, NEXT], id="sent-at-once"),
        pytest.param(1.0, [NEXT], id="waited-and-another-fell-sick"),
        pytest.param(6.0, [], id="too-late-for-both"),
    ],
)
def test_a_move_that_waited_counts_on_nobody_suspect(tmp_path, waited_seconds, moved):
    """
    Behind a busy load balancer or a retry: an alert about another member came meanwhile, and the decision rested on that one.
    """
    clinic, late = Clinic(tmp_path), Late()
    clinic.moves = FirstMoves(clinic.workshop, clinic.view, late)
    clinic.alert(SICK)
    clinic.alert(NEXT)
    clinic.clock.advance(waited_seconds)
    late.run()

    (pool,) = clinic.cloud.inventory("demo").load_balancers[0].pools
    weights = {member.name: member.weight for member in pool.members}
    assert [name for name in (SICK, NEXT) if weights[name] == 0] == moved


class Away(Glance):
    """
    The store does not answer.
    """

    def suspects(self, platform: str, service: str) -> frozenset[str]:
        """
        Nothing is known.
        """
        raise StoreError(f"reading the cases of {platform}/{service}: no answer")


def test_no_move_is_decided_while_the_store_is_away(tmp_path):
    """
    The alert is committed; what follows it at the door must not fail for it.
    """
    clinic = Clinic(tmp_path)
    record = clinic.alert(SICK)
    clinic.moves = FirstMoves(clinic.workshop, clinic.view, late := Late())
    clinic.moves.consider(record, Away(clinic.store, clinic.clock.now()))

    assert late.waiting == []
