"""
Faults of the simulated API: what goes wrong, at which calls, how often; all chance comes from one seed.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FaultKind(StrEnum):
    """
    How a call goes wrong. "After" means that it took effect and the caller does not hear of it.
    """

    FAIL_BEFORE = "fail-before"
    FAIL_AFTER = "fail-after"
    TIMEOUT_AFTER = "timeout-after"
    BUSY = "busy"
    STALE_READ = "stale-read"
    ERROR_STATUS = "error-status"
    NO_CAPACITY = "no-capacity"
    QUOTA = "quota"
    CREDENTIALS = "credentials"
    KILL_BEFORE = "kill-before"
    KILL_AFTER = "kill-after"


TRANSIENT = frozenset(
    {
        FaultKind.FAIL_BEFORE,
        FaultKind.FAIL_AFTER,
        FaultKind.TIMEOUT_AFTER,
        FaultKind.BUSY,
    }
)
"""Faults the adapter tries again on."""


class Killed(BaseException):
    """
    The process died here. Not an Exception: no ordinary handler catches it, as none would catch `kill -9`.
    """


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A rule for faults.

    Attributes:
        call: Name of the Protocol's method, or "*" for every call.
        subject: Name of the resource, or "*".
        probability: Chance that a matching call meets it.
        times: How often at most; None is without end.
        skip: Matching calls that go well first.
        until: After this moment it is over.
        text: Fault text for people.
    """

    kind: FaultKind
    call: str = "*"
    subject: str = "*"
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    until: datetime | None = None
    text: str = ""

    def matches(self, call: str, subject: str, now: datetime) -> bool:
        """
        Whether the rule speaks of this call.
        """
        return (
            self.call in {"*", call}
            and self.subject in {"*", subject}
            and (self.until is None or now < self.until)
        )


class FaultBook:
    """
    The rules in force. Thread-safe; the first rule that strikes decides.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  chance for tests, not for secrets
        self._rules: list[Fault] = []
        self._seen: list[int] = []
        self._struck: list[int] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """
        Put a rule in force.
        """
        with self._lock:
            self._rules.append(fault)
            self._seen.append(0)
            self._struck.append(0)

    def clear(self) -> None:
        """
        Nothing goes wrong any more.
        """
        with self._lock:
            self._rules, self._seen, self._struck = [], [], []

    def strike(self, call: str, subject: str, now: datetime) -> Fault | None:
        """
        The fault this call meets, or None.
        """
        with self._lock:
            for index, rule in enumerate(self._rules):
                if not rule.matches(call, subject, now):
                    continue
                self._seen[index] += 1
                if self._seen[index] <= rule.skip:
                    continue
                if rule.times is not None and self._struck[index] >= rule.times:
                    continue
                if rule.probability < 1 and self._random.random() >= rule.probability:
                    continue
                self._struck[index] += 1
                return rule
        return None

    def jitter(self, ratio: float) -> float:
        """
        A factor around 1.
        """
        with self._lock:
            return 1 + self._random.uniform(-ratio, ratio) if ratio else 1.0
