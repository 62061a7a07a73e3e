"""
The watch: every second it reads all HAProxies' statistics and reports what changed in health.

Octavia's amphorae send a heartbeat; this is its equivalent, on one thread. It also starts a HAProxy that died, as an
amphora's init would, and has load balancers looked at that stay PENDING_* without being in hand.
"""

from __future__ import annotations

import threading
import time
import traceback
from typing import Any

from fournines_sandbox.loadbalancer import health
from fournines_sandbox.loadbalancer.haproxy import HAProxy
from fournines_sandbox.loadbalancer.health import View
from fournines_sandbox.loadbalancer.record import Record, RecordError
from fournines_sandbox.loadbalancer.runtime import ControlError
from fournines_sandbox.loadbalancer.seat import seat_of
from fournines_sandbox.loadbalancer.worker import Worker
from fournines_sandbox.site import Site

PERIOD_SECONDS = 1.0
COUNT_EVERY = 10
"""Traffic statistics are reported once in so many periods, as often as an amphora's heartbeat."""

PENDING_EVERY = 5
"""Load balancers stuck in PENDING_* are looked for once in so many periods."""


class Watch:
    """
    Watches the load balancers it was told of.
    """

    def __init__(self, site: Site, record: Record) -> None:
        self._site = site
        self._record = record
        self._lock = threading.Lock()
        self._views: dict[str, View] = {}
        self._counted: dict[str, dict[str, int]] = {}
        self._pending: set[str] = set()

    def settled(self, identifier: str, load_balancer: Any | None) -> None:
        """
        Take note of a tree that was brought to rest, None when it is gone.
        """
        with self._lock:
            if load_balancer is None:
                self._views.pop(identifier, None)
            else:
                self._views[identifier] = View.of(load_balancer)

    def run(self, worker: Worker) -> None:
        """
        Watch for ever.
        """
        turn = 0
        while True:
            time.sleep(PERIOD_SECONDS)
            turn += 1
            try:
                self._look(worker, count=turn % COUNT_EVERY == 0)
                if turn % PENDING_EVERY == 0:
                    self._find_stuck(worker)
            except Exception:  # noqa: BLE001 - a thread's top: the next turn tries again
                traceback.print_exc()

    def _look(self, worker: Worker, *, count: bool) -> None:
        with self._lock:
            views = list(self._views.values())
        counters: dict[str, dict[str, int]] = {}
        for view in views:
            if worker.busy(view.identifier):
                continue
            rows = self._rows(view, worker)
            if rows is None:
                continue
            self._report(view, rows)
            counters |= health.counters(rows)
        if count:
            self._count(counters)

    def _rows(self, view: View, worker: Worker) -> list[dict[str, str]] | None:
        if not view.enabled or not view.listeners.keys() - view.disabled:
            return []
        haproxy = HAProxy(seat_of(self._site, view.identifier))
        try:
            return health.parse(haproxy.control.ask("show stat -1 7 -1"))
        except ControlError as error:
            if haproxy.pid() is None:
                print(f"load balancer {view.identifier}: HAProxy is gone, starting it", flush=True)
                worker.mark(view.identifier, asked=False)
            else:
                print(f"load balancer {view.identifier}: {error}", flush=True)
            return None

    def _report(self, view: View, rows: list[dict[str, str]]) -> None:
        changes = view.changes(rows)
        if not changes:
            return
        try:
            self._record.report(changes)
        except RecordError as error:
            # The view is ahead of the database now; the next look reads it again.
            print(f"load balancer {view.identifier}: {error}", flush=True)
            self.settled(view.identifier, self._record.load(view.identifier))

    def _count(self, counters: dict[str, dict[str, int]]) -> None:
        changed = {key: value for key, value in counters.items() if self._counted.get(key) != value}
        if changed:
            self._record.count(changed)
        self._counted = counters

    def _find_stuck(self, worker: Worker) -> None:
        # Seen twice, because a request may have been committed this very moment.
        pending = {
            identifier
            for identifier, status in self._record.statuses().items()
            if status.startswith("PENDING_") and not worker.busy(identifier)
        }
        for identifier in pending & self._pending:
            worker.mark(identifier, asked=False)
        self._pending = pending
