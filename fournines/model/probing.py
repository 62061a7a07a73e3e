"""
What one request of our own to an instance showed.

A probe is evidence from our own eyes: alerts and metrics may be late, wrong or absent, a probe is seconds old at most.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from fournines.model.value import Value

Scheme = Literal["http", "https"]
"""How an instance is spoken to. Certificates of instances are not verified by probes: whether one answers is a question of its own, and operators and
transactions, which say secrets, verify them."""


class Answer(StrEnum):
    """
    How an instance reacted to a request.
    """

    STATUS = "status"
    """It answered with an HTTP status."""
    REFUSED = "refused"
    """Somebody said at once that nobody listens there."""
    SILENT = "silent"
    """The connection was accepted, or not even that, and nothing came in time."""
    UNREACHABLE = "unreachable"
    """No way there: no route, no such neighbour, network down."""


class ProbeResult(Value):
    """
    One request and what came of it.

    Attributes:
        at: When the request was sent.
        path: What was asked for.
        seconds: How long it took until the answer, or until we gave up.
        status: The HTTP status of an answer.
    """

    at: datetime
    path: str
    answer: Answer
    seconds: float
    status: int | None = None

    @property
    def good(self) -> bool:
        """
        An answer with a 2xx or 3xx status.
        """
        return (
            self.answer is Answer.STATUS
            and self.status is not None
            and 200 <= self.status < 400
        )


class Prober(Protocol):
    """
    Whoever sends such requests. Thread-safe; never raises for what an instance does.
    """

    def probe(
        self,
        address: str,
        port: int,
        path: str,
        *,
        timeout_ms: int,
        scheme: Scheme = "http",
    ) -> ProbeResult:
        """
        Ask once.
        """
        ...
