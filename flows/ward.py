"""
What a healing works with, and the one lease that healings of a service share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from fournines.metrics.protocol import Metrics
from fournines.model.inventory import Inventory
from fournines.model.transaction import Transaction
from tasks import leasing
from tasks.leasing import Holding
from tasks.workshop import Workshop


class SharedLeases:
    """
    One lease per service for all healings of this process: healings exclude deploys of their service, not each other.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = workshop.crew.lock()
        self._held: dict[str, tuple[ExitStack, Holding, int]] = {}

    @contextmanager
    def holding(self, platform: str, service: str) -> Iterator[Holding]:
        """
        Hold the service while the block runs.

        Raises:
            LeaseHeld: A deploy, or another process's healing, works on it.
        """
        name = leasing.of_service(platform, service)
        held = self._enter(name)
        try:
            yield held
        finally:
            self._leave(name)

    def holds(self, name: str) -> bool:
        """
        Whether this process holds that lease for a healing.
        """
        with self._lock:
            return name in self._held

    def _enter(self, name: str) -> Holding:
        with self._lock:
            if name in self._held:
                stack, held, count = self._held[name]
                self._held[name] = (stack, held, count + 1)
                return held
            stack = ExitStack()
            held = stack.enter_context(
                leasing.holding(
                    self._workshop,
                    [name],
                    purpose="healing",
                    ttl_seconds=self._workshop.settings.healing_lease_ttl_seconds,
                )
            )
            self._held[name] = (stack, held, 1)
            return held

    def _leave(self, name: str) -> None:
        with self._lock:
            stack, held, count = self._held.pop(name)
            if count > 1:
                self._held[name] = (stack, held, count - 1)
            else:
                stack.close()


@dataclass(frozen=True, slots=True)
class Move:
    """
    What was done first on an alert's word, and when. `error` is empty when the call took effect.
    """

    instance: str
    called_at: datetime
    done_at: datetime
    error: str = ""


def no_move(_instance: str | None) -> Future[Move] | None:
    """
    Nobody makes first moves.
    """
    return None


def nothing_known(_platform: str) -> Inventory | None:
    """
    Nobody keeps a view of the cloud.
    """
    return None


def nobody_looked(_instance: str) -> bool | None:
    """
    Nobody knows whether an instance has ever served.
    """
    return None


def nobody_tried(_platform: str, _service: str) -> tuple[Transaction, ...]:
    """
    Nobody makes transactions of our own.
    """
    return ()


def nobody_is_away(_since: datetime | None = None) -> str:
    """
    Nobody feels the pulse of the cloud's own services.
    """
    return ""


@dataclass(frozen=True, slots=True)
class Ward:
    """
    The outside world of healings, and what they share.

    Attributes:
        known: The last inventory somebody read of a platform, for addresses; never for decisions.
        first_move: The first move made for an instance, done or under way.
        served: Whether an instance has served since somebody looks; None where nobody does.
        away: What of the cloud's own services gives no answer now, or has given none since a moment; empty: all did.
        tried: What our last transactions through a service's load balancer came to, oldest first.
        gate: Held from asking the brakes until the case says that it acts, so that two cases never pass one brake together.
    """

    workshop: Workshop
    metrics: Metrics
    leases: SharedLeases
    gate: AbstractContextManager[object]
    known: Callable[[str], Inventory | None] = nothing_known
    first_move: Callable[[str | None], Future[Move] | None] = no_move
    served: Callable[[str], bool | None] = nobody_looked
    away: Callable[[datetime | None], str] = nobody_is_away
    tried: Callable[[str, str], tuple[Transaction, ...]] = nobody_tried

    @classmethod
    def over(  # noqa: PLR0917  as its fields
        cls,
        workshop: Workshop,
        metrics: Metrics,
        known: Callable[[str], Inventory | None] = nothing_known,
        first_move: Callable[[str | None], Future[Move] | None] = no_move,
        served: Callable[[str], bool | None] = nobody_looked,
        away: Callable[[datetime | None], str] = nobody_is_away,
        tried: Callable[[str, str], tuple[Transaction, ...]] = nobody_tried,
    ) -> Ward:
        """
        A ward over a workshop.
        """
        return cls(
            workshop,
            metrics,
            SharedLeases(workshop),
            workshop.crew.lock(),
            known,
            first_move,
            served,
            away,
            tried,
        )
