"""
The rhythm of our own transactions: every service that has one is tried about every second, beside the others, and what came of it is counted.

A service whose last try has not ended is not tried again: one that hangs costs one thread. At most so many run at once; the others wait for the next
round. A try that takes several rounds is counted once for each of them: there is one a second then, good or bad, and a second that a try hung in is
a bad second. What each came to lately stands in `recent`, for whoever looks at a case.

What has never succeeded while somebody still makes it is no promise yet, and is not counted.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future

from prometheus_client import CollectorRegistry, Counter, Histogram

from alerts import conventions as c
from flows.healer_view import View
from fournines import log
from fournines.model.desired import Service
from fournines.model.inventory import Inventory
from fournines.model.transaction import Transaction
from tasks import leasing
from tasks.transactions import TIMEOUT_SECONDS, Transactor
from tasks.workshop import Workshop

ROUND_SECONDS = 1.0
"""From one round to the next."""

AT_ONCE_MAX = 32
"""Transactions under way together."""

RECENT = 5
"""Outcomes that are remembered of each service."""

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)

OK, FAILED = "ok", "failed"

Key = tuple[str, str]

_log = log.get("transactions")


class Transactions:
    """
    Tries, and counts. One round at a time.
    """

    def __init__(
        self, workshop: Workshop, view: View, registry: CollectorRegistry
    ) -> None:
        self._workshop = workshop
        self._view = view
        self._hands = workshop.crew.hands(AT_ONCE_MAX, "transaction")
        self._running: dict[Key, Future[Transaction]] = {}
        self._transactors: dict[str, Transactor] = {}
        self._recent: dict[Key, deque[Transaction]] = {}
        self._ever_good: set[Key] = set()
        self._count = Counter(
            c.TRANSACTIONS.removesuffix("_total"),
            "Transactions of our own through a service's endpoint, by outcome.",
            [*c.SERVICE_LABELS, c.OUTCOME],
            registry=registry,
        )
        self._seconds = Histogram(
            c.TRANSACTION_SECONDS,
            "Seconds that transactions of our own took.",
            [*c.SERVICE_LABELS, c.OUTCOME],
            buckets=BUCKETS,
            registry=registry,
        )

    def round(self) -> None:
        """
        Count what ended, and begin what is due.
        """
        self._gather()
        for platform in self._view.platforms:
            inventory = self._view.inventory(platform.name)
            for service in platform.services if inventory else ():
                assert inventory is not None
                self._begin(service, inventory)

    def recent(self, platform: str, service: str) -> tuple[Transaction, ...]:
        """
        What a service's last tries came to, oldest first.
        """
        return tuple(self._recent.get((platform, service), ()))

    def _begin(self, service: Service, inventory: Inventory) -> None:
        key = (service.platform, service.name)
        if key in self._running or len(self._running) >= AT_ONCE_MAX:
            return
        transactor = self._of(service.blueprint)
        if transactor is None:
            return
        self._running[key] = self._hands.submit(
            transactor.perform, service, inventory, timeout_seconds=TIMEOUT_SECONDS
        )

    def _gather(self) -> None:
        for key, running in list(self._running.items()):
            if not running.done():
                continue
            del self._running[key]
            error = running.exception()
            if error is not None:
                # A mistake of ours says nothing about the service.
                _log.error("transaction_broke", service=key[1], error=str(error))
                continue
            self._learn(key, running.result())

    def _learn(self, key: Key, found: Transaction) -> None:
        remembered = self._recent.setdefault(key, deque(maxlen=RECENT))
        before = remembered[-1] if remembered else None
        remembered.append(found)
        if found.ok:
            self._ever_good.add(key)
        if key in self._ever_good or not self._is_being_made(key):
            self._counted(key, found)
        if before is None or before.ok != found.ok:
            _log.info(
                "transactions_changed",
                platform=key[0],
                service=key[1],
                ok=found.ok,
                error=found.error,
            )

    def _counted(self, key: Key, found: Transaction) -> None:
        """
        Once for each round that it took. A counter that first appears as 1 has never risen: both stand at 0 before.
        """
        for outcome in (OK, FAILED):
            self._count.labels(*key, outcome)
        outcome = OK if found.ok else FAILED
        rounds = max(1, round(found.seconds / ROUND_SECONDS))
        self._count.labels(*key, outcome).inc(rounds)
        for _ in range(rounds):
            self._seconds.labels(*key, outcome).observe(found.seconds)

    def _is_being_made(self, key: Key) -> bool:
        """
        Whether a deploy or the like works on the service or its platform.
        """
        leases = self._workshop.store.leases
        held = (
            leases.current(name)
            for name in (leasing.of_platform(key[0]), leasing.of_service(*key))
        )
        return any(
            lease is not None and not lease.purpose.startswith("healing")
            for lease in held
        )

    def _of(self, blueprint: str) -> Transactor | None:
        if blueprint not in self._transactors:
            make = self._workshop.transactions.get(blueprint)
            if make is None:
                return None
            self._transactors[blueprint] = make(self._workshop)
        return self._transactors[blueprint]
