"""
A process' doors: cloud and store with a point before and after each call, at which the process may die, be stopped, or give its turn away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fournines.store.memory import MemoryStore
from fournines.store.protocol import StoreError
from tests.sim.turns import Process, Turns

STORE_READS = frozenset(
    {
        "about",
        "admitted",
        "all",
        "case",
        "cases",
        "current",
        "entries",
        "firing",
        "history",
        "in_force",
        "is_on",
        "of",
        "open_for",
        "pending",
        "plan",
        "platform",
        "platforms",
        "resources",
        "unfinished",
        "view",
        "waiting",
        "why",
    }
)
"""Reads are one point: nothing is between their effect and their answer."""

Told = Callable[[Process, str, tuple[Any, ...]], None]


@dataclass(slots=True)
class Outage:
    """
    While it lasts, no call of the store gets through; none of them takes effect.
    """

    until: float = 0.0


class Pointed:
    """
    Any object, with points at its calls. `told` hears of each call that took effect.
    """

    def __init__(  # noqa: PLR0917  the whole world
        self,
        target: Any,
        turns: Turns,
        process: Process,
        label: str,
        told: Told,
        outage: Outage | None = None,
    ) -> None:
        self._target = target
        self._turns = turns
        self._process = process
        self._label = label
        self._told = told
        self._outage = outage

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._target, name)
        point, told, process = self._turns.point, self._told, self._process
        moment = f"{self._label}.{name}"
        turns, outage = self._turns, self._outage or Outage()

        def passing(*args: Any, **kwargs: Any) -> Any:
            point(moment, effect=True)
            if turns.now < outage.until:
                raise StoreError(f"{moment}: the store does not answer")
            result = call(*args, **kwargs)
            told(process, moment, args)
            point(moment, effect=True)
            return result

        def reading(*args: Any, **kwargs: Any) -> Any:
            point(moment)
            if turns.now < outage.until:
                raise StoreError(f"{moment}: the store does not answer")
            return call(*args, **kwargs)

        chosen = reading if name in STORE_READS else passing
        setattr(self, name, chosen)
        return chosen


class PointedStore:
    """
    A store with points.
    """

    def __init__(
        self,
        store: MemoryStore,
        turns: Turns,
        process: Process,
        told: Told,
        outage: Outage,
    ) -> None:
        def pointed(noun: str) -> Any:
            return Pointed(getattr(store, noun), turns, process, noun, told, outage)

        def now() -> datetime:
            if turns.now < outage.until:
                raise StoreError("reading the store's clock: it does not answer")
            return store.now()

        self.now = now
        self.registry = pointed("registry")
        self.journal = pointed("journal")
        self.leases = pointed("leases")
        self.inbox = pointed("inbox")
        self.cases = pointed("cases")
        self.switches = pointed("switches")
        self.pauses = pointed("pauses")
        self.quarantines = pointed("quarantines")
        self.approvals = pointed("approvals")
        self.secrets = pointed("secrets")
