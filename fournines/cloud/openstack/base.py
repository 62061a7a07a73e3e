"""
What all parts of the OpenStack adapter share: connection, retries, waiting, known names, the rule about names and marks.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from fournines.clock import Clock
from fournines.cloud.errors import CloudError, DeadlinePassed, NameTaken
from fournines.cloud.openstack.attempts import attempt
from fournines.cloud.openstack.connection import Connection
from fournines.cloud.openstack.known import Known
from fournines.log import get
from fournines.model.ownership import Owner
from fournines.settings import Settings

T = TypeVar("T")

POLL_GROWTH = 1.3
"""Each wait for a resource is that much longer than the one before ..."""

POLL_SECONDS_MAX = 2.0
"""... up to this; a minute's wait costs some forty reads."""

POLL_WAITERS_FREE = 4
"""With more callers waiting at once, each waits longer, so that the API sees no more reads."""

log = get("cloud")


class Context:
    """
    What the parts of one adapter share.

    Attributes:
        waiting: How many callers are waiting for a resource.
    """

    def __init__(
        self, connection: Connection, settings: Settings, clock: Clock
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.clock = clock
        self.known = Known()
        self.waiting = 0
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._lock = threading.Lock()

    def lock(self, name: str) -> threading.RLock:
        """
        Held for the length of a change to a load balancer, or of an instance's create.
        """
        with self._lock:
            return self._locks[name]

    @contextmanager
    def in_line(self) -> Iterator[None]:
        """
        Be counted among those who wait.
        """
        with self._lock:
            self.waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self.waiting -= 1


class Base:
    """
    The base of the adapter's parts.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.connection = context.connection
        self.settings = context.settings
        self.clock = context.clock
        self.known = context.known

    def retried(self, unit: Callable[[], T], *, until: float | None = None) -> T:
        """
        A unit that may be done again, tried until it succeeds, the settings' limits are met or the deadline is there.
        """
        seconds = self.settings.retry_total_seconds
        if until is not None:
            seconds = min(seconds, until - time.monotonic())
        return attempt(unit, attempts=self.settings.retry_attempts, seconds=seconds)

    def persistently(self, unit: Callable[[], T], *, until: float) -> T:
        """
        As `retried`, but as often as the deadline allows: for changes that others' changes keep busy.
        """
        return attempt(unit, attempts=1_000, seconds=until - time.monotonic())

    def together(self, *reads: Callable[[], T]) -> list[T]:
        """
        Several reads at once, each retried on its own.
        """
        return self.connection.together(
            *((lambda read=read: self.retried(read)) for read in reads)
        )

    def poll(
        self,
        attempted: str,
        until: float,
        look: Callable[[], T | None],
        *,
        first_seconds: float = 0.0,
    ) -> T:
        """
        Ask until `look` finds something, first after `first_seconds`; a service that restarts in between is waited for, too.

        Raises:
            DeadlinePassed: It did not in time.
        """
        pause = self.settings.poll_seconds
        with self.context.in_line():
            if first_seconds:
                # Not beyond the deadline: whoever gave a short one is told by then, whatever has become of it since.
                self.clock.sleep(min(first_seconds, max(0.0, until - time.monotonic())))
            while True:
                found = self.persistently(look, until=until)
                if found is not None:
                    return found
                left = until - time.monotonic()
                if left <= 0:
                    raise DeadlinePassed(attempted, "it is taking too long")
                crowd = max(1.0, self.context.waiting / POLL_WAITERS_FREE)
                self.clock.sleep(min(pause * crowd, left))
                pause = min(pause * POLL_GROWTH, POLL_SECONDS_MAX)


def until(deadline_seconds: float) -> float:
    """
    A deadline on the monotonic clock.
    """
    return time.monotonic() + deadline_seconds


def chosen(
    found: Iterable[T],
    *,
    owner_of: Callable[[T], Owner | None],
    age_of: Callable[[T], tuple[str, str]],
    wanted: Owner | None,
    attempted: str,
    discard: Callable[[T], None],
) -> T | None:
    """
    Of the resources of one name, ours; None when there is none.

    A create whose answer was lost and that was not yet listed when we looked again leaves a twin: the oldest stays, so
    every process that meets the twins decides alike.

    Raises:
        NameTaken: Only resources without our mark (or of another platform or service) bear the name.
    """
    everything = sorted(found, key=age_of)
    ours = [one for one in everything if _same_place(owner_of(one), wanted)]
    if not ours:
        if everything:
            raise NameTaken(
                attempted,
                f"a resource of that name ({age_of(everything[0])[1]}) exists "
                "and was not made for this by Fournines",
                "Rename or delete it, or choose another name",
            )
        return None
    for twin in ours[1:]:
        try:
            discard(twin)
        except CloudError as error:
            log.warning("twin_not_deleted", error=str(error))
    return ours[0]


def _same_place(found: Owner | None, wanted: Owner | None) -> bool:
    if found is None:
        return False
    if wanted is None:
        return True
    return (found.platform, found.service) == (wanted.platform, wanted.service)


def age(body: dict[str, Any]) -> tuple[str, str]:
    """
    When a resource was made and its id: the order among twins.
    """
    made = body.get("created_at") or body.get("created") or ""
    return (str(made), str(body["id"]))
