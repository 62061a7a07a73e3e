"""
The worker: brings HAProxy, network and statuses of a load balancer to what Octavia's database asks for.

A request of the API marks a load balancer; its transaction commits a moment later. The worker waits for the mark to show
in the database as PENDING_*, renders the whole tree, applies it, and settles everything pending. Nothing is remembered
from the request, so a worker that was killed finishes after its restart what it finds pending. One load balancer is in
one pair of hands at a time; several are served at once.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from octavia.common import constants

from fournines_sandbox.loadbalancer import doorway, namespace, settlement
from fournines_sandbox.loadbalancer.haproxy import (
    HAProxy,
    HAProxyError,
    connections_max,
    version,
)
from fournines_sandbox.loadbalancer.record import Record, RecordError
from fournines_sandbox.loadbalancer.render import render
from fournines_sandbox.loadbalancer.seat import Seat, configurations, seat_of
from fournines_sandbox.network.kernel import NetworkError
from fournines_sandbox.site import Site

HANDS = 6
"""Load balancers served at once; more would only wait for the database and the two cores."""

COMMIT_SECONDS_MAX = 10.0
"""How long the API's transaction may take to show; it was rolled back if it never does."""

COMMIT_POLL_SECONDS = 0.01
REPORT_ATTEMPTS = 10
REPORT_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Why a load balancer is looked at.
    """

    asked: bool
    fresh: bool

    def joined(self, other: Mark | None) -> Mark:
        """
        One mark for both reasons.
        """
        if other is None:
            return self
        return Mark(self.asked or other.asked, self.fresh or other.fresh)


class Worker:
    """
    Serves marks until the process ends.

    Args:
        settled: Told of every tree that was brought to rest, None when the load balancer is gone.
    """

    def __init__(
        self, site: Site, record: Record, settled: Callable[[str, Any | None], None]
    ) -> None:
        self._site = site
        self._record = record
        self._settled = settled
        self._version = version()
        self._connections_max = connections_max()
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="loadbalancer")
        self._lock = threading.Lock()
        self._marks: dict[str, Mark] = {}
        self._busy: set[str] = set()
        self._doors: dict[str, tuple[object, str]] = {}

    def mark(self, identifier: str, *, asked: bool = True, fresh: bool = False) -> None:
        """
        Have a load balancer looked at.

        Args:
            asked: A request is about to be committed; otherwise the database is taken as it is.
            fresh: Replace its HAProxy.
        """
        with self._lock:
            self._marks[identifier] = Mark(asked, fresh).joined(self._marks.get(identifier))
            if identifier not in self._busy:
                self._busy.add(identifier)
                self._pool.submit(self._serve, identifier)

    def busy(self, identifier: str) -> bool:
        """
        Whether the load balancer is in hand right now.
        """
        with self._lock:
            return identifier in self._busy

    def adopt(self) -> None:
        """
        At start: take over what runs, start what should run, finish what is pending, end what nobody knows.
        """
        known = self._record.statuses()
        for identifier in known:
            self.mark(identifier, asked=False)
        if configurations(self._site).is_dir():
            for directory in configurations(self._site).iterdir():
                if directory.name not in known:
                    HAProxy(seat_of(self._site, directory.name)).forget()

    def _serve(self, identifier: str) -> None:
        while True:
            with self._lock:
                mark = self._marks.pop(identifier, None)
                if mark is None:
                    self._busy.discard(identifier)
                    return
            try:
                self._bring_to_rest(identifier, mark)
            except Exception:  # noqa: BLE001 - a thread's top: the periodic look at PENDING ones tries again
                traceback.print_exc()

    def _bring_to_rest(self, identifier: str, mark: Mark) -> None:
        if mark.asked and not self._committed(identifier):
            return
        load_balancer = self._record.load(identifier)
        if load_balancer is None:
            HAProxy(seat_of(self._site, identifier)).forget()
            self._settled(identifier, None)
            return
        statuses = self._apply(load_balancer, mark.fresh)
        if statuses:
            self._report(statuses)
        goes = load_balancer.provisioning_status == constants.PENDING_DELETE
        self._settled(identifier, None if goes else self._record.load(identifier))

    def _committed(self, identifier: str) -> bool:
        deadline = time.monotonic() + COMMIT_SECONDS_MAX
        while time.monotonic() < deadline:
            status = self._record.status(identifier)
            if status is not None and status.startswith("PENDING_"):
                return True
            time.sleep(COMMIT_POLL_SECONDS)
        return False

    def _apply(self, load_balancer: Any, fresh: bool) -> settlement.Statuses:
        began = time.monotonic()
        seat = seat_of(self._site, load_balancer.id)
        done = "deleted"
        try:
            if load_balancer.provisioning_status == constants.PENDING_DELETE:
                HAProxy(seat).forget()
                self._doors.pop(load_balancer.id, None)
                doorway.close_door(self._site, load_balancer)
            else:
                self._open_door(load_balancer, seat)
                done = HAProxy(seat).apply(self._render(load_balancer, seat), fresh=fresh)
        except (HAProxyError, NetworkError, OSError) as error:
            print(f"load balancer {load_balancer.id}: {error}", flush=True)
            return settlement.failed(load_balancer)
        milliseconds = (time.monotonic() - began) * 1000
        print(f"load balancer {load_balancer.id}: {done} in {milliseconds:.0f} ms", flush=True)
        return settlement.settled(load_balancer)

    def _open_door(self, load_balancer: Any, seat: Seat) -> None:
        # Most changes concern members and leave the door as it is.
        wanted = (namespace.identity(seat.namespace), doorway.rules(load_balancer))
        if wanted[0] is None or self._doors.get(load_balancer.id) != wanted:
            doorway.open_door(self._site, load_balancer, seat.directory / "port.json")
            self._doors[load_balancer.id] = (namespace.identity(seat.namespace), wanted[1])

    def _render(self, load_balancer: Any, seat: Seat) -> str:
        return render(
            load_balancer,
            directory=seat.directory.parent,
            socket=seat.socket,
            version=self._version,
            connections_max=self._connections_max,
        )

    def _report(self, statuses: settlement.Statuses) -> None:
        for attempt in range(REPORT_ATTEMPTS):
            try:
                self._record.report(statuses)
            except RecordError:
                if attempt == REPORT_ATTEMPTS - 1:
                    raise
                time.sleep(REPORT_PAUSE_SECONDS)
            else:
                return
