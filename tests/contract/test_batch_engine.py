"""
The simulated batch engine and the client of Slurm's REST interface keep the same contract.

What Slurm answers is on tapes: what Slurm 22.05.8 of our image said to the same laws, with the configuration of our template, cut to what we
read. A request that differs from the tape's is told. The real thing keeps the laws in tests/sandbox/services/test_batch.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import respx

from fournines.cloud.virtual_clock import VirtualClock
from tasks.batch.simulated import SimulatedEngine
from tasks.operators import ClusterRefused, ClusterSilent
from tasks.operators.access import Access
from tasks.operators.slurm_interface import PORT, Engine, SlurmInterface
from tests.contract import batch_contract as contract

TAPES = Path(__file__).parent / "slurm"
ADDRESS = "10.0.0.10"
KEY = "0123456789abcdef0123456789abcdef"


class SimulatedRig:
    """
    In memory.
    """

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.engine = SimulatedEngine(self.clock, task_seconds=2.0)
        self.workers = ("worker-0", "worker-1")
        for name in self.workers:
            self.engine.join(name)

    def pass_time(self) -> None:
        """A second."""
        self.clock.advance(1.0)


class Tape:
    """
    A conversation with a real Slurm, in its order.
    """

    def __init__(self, name: str, router: respx.MockRouter) -> None:
        self._said: list[dict[str, Any]] = json.loads(
            (TAPES / f"{name}.json").read_text()
        )
        self._next = 0
        router.route(host=ADDRESS, port=PORT).mock(side_effect=self._answer)

    def assert_over(self) -> None:
        """Everything was asked that was asked of the real one."""
        assert self._next == len(self._said)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        user = request.headers["X-SLURM-USER-NAME"]
        token = request.headers["X-SLURM-USER-TOKEN"]
        claims = jwt.decode(
            token, KEY, algorithms=["HS256"], options={"verify_exp": False}
        )
        assert claims["sun"] == user
        asked = {
            "method": request.method,
            "path": request.url.path,
            "user": user,
            "body": json.loads(request.content) if request.content else None,
        }
        told = self._said[self._next]
        assert asked == {key: told[key] for key in asked}
        self._next += 1
        said = told["said"]
        if isinstance(said, str):
            return httpx.Response(told["status"], text=said)
        return httpx.Response(told["status"], json=said)


def interface(address: str | None = ADDRESS) -> Engine:
    """The real client."""
    access = Access(ca="", secret=lambda _: KEY)
    return SlurmInterface(access, VirtualClock(), lambda: address)


class ToldRig:
    """
    The real client, and Slurm's own answers.
    """

    workers = ("lab-jobs-workers-0", "lab-jobs-workers-1")

    def __init__(self) -> None:
        self.engine = interface()

    def pass_time(self) -> None:
        """On the tape it has."""


@pytest.fixture
def router() -> Iterator[respx.MockRouter]:
    """Nothing reaches the network."""
    with respx.mock(assert_all_called=False) as router:
        yield router


LAWS = pytest.mark.parametrize(
    "law", [*contract.LAWS, contract.LAST], ids=lambda law: law.__name__
)


@LAWS
def test_the_simulated_engine_keeps(law):
    """
    Each law of the contract, in memory.
    """
    law(SimulatedRig())


@LAWS
def test_the_rest_client_keeps(law, router):
    """
    Each law of the contract, on what a real Slurm said; and it asks just what was asked then.
    """
    tape = Tape(law.__name__, router)
    law(ToldRig())
    tape.assert_over()


CALLS = pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda e: e.ping(), id="ping"),
        pytest.param(lambda e: e.nodes(), id="nodes"),
        pytest.param(lambda e: e.tasks(), id="tasks"),
        pytest.param(lambda e: e.submit("#!", contract.order("a")), id="submit"),
        pytest.param(lambda e: e.change_job(1, priority=2), id="change-job"),
        pytest.param(lambda e: e.cancel(1), id="cancel"),
        pytest.param(lambda e: e.change_node("a", "DRAIN", "b"), id="change-node"),
        pytest.param(lambda e: e.forget_node("a"), id="forget-node"),
    ],
)


@CALLS
def test_nobody_answers(call, router):
    """
    A controller that is away, has no address, or whose gate finds no Slurm behind it is silent in both.
    """
    simulated = SimulatedEngine(VirtualClock())
    simulated.silent = True
    with pytest.raises(ClusterSilent):
        call(simulated)
    with pytest.raises(ClusterSilent, match="no address"):
        call(interface(None))
    route = router.route(host=ADDRESS)
    route.mock(side_effect=httpx.ConnectTimeout("no answer"))
    with pytest.raises(ClusterSilent):
        call(interface())
    route.mock(return_value=httpx.Response(502, text="slurmrestd does not answer"))
    with pytest.raises(ClusterSilent, match="502"):
        call(interface())


@CALLS
def test_a_token_that_slurm_does_not_take_is_a_refusal(call, router):
    """
    Another's key: it says so by 500 and no document, or by an error with a number.
    """
    errors = [{"error_number": 1007, "error": "Protocol authentication error"}]
    router.route(host=ADDRESS).mock(
        return_value=httpx.Response(500, json={"errors": errors})
    )
    with pytest.raises(ClusterRefused, match="authentication"):
        call(interface())
