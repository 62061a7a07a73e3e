"""
The one retry layer: on named transient errors only, bounded by attempts and time, with jitter.

What is tried again is a unit that looks before it makes, so that a create whose answer was lost is found, not doubled. A unit
inside another unit is not retried on its own: never a retry around a retry.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from fournines.cloud import permit
from fournines.cloud.errors import CloudBusy, CloudUnreachable
from fournines.log import get

T = TypeVar("T")

log = get("cloud")

TRANSIENT = (CloudBusy, CloudUnreachable)
WAIT_FIRST_SECONDS = 0.2
WAIT_MAX_SECONDS = 5.0

_inside = threading.local()


def _tell(details: RetryDetails) -> None:
    """
    One event per retry, in our words.
    """
    log.warning(
        "cloud_call_retried",
        error=str(details.caused_by),
        retry=details.retry_num,
        wait_seconds=round(details.wait_for, 2),
    )


set_on_retry_hooks([_tell])


def attempt(unit: Callable[[], T], *, attempts: int, seconds: float) -> T:
    """
    Do it, again if need be; the last error comes out as it is. Before each try the right to act is asked for.
    """
    if getattr(_inside, "yes", False):
        return unit()
    for trial in stamina.retry_context(
        on=TRANSIENT,
        attempts=attempts,
        timeout=max(seconds, 0.001),
        wait_initial=WAIT_FIRST_SECONDS,
        wait_max=WAIT_MAX_SECONDS,
    ):
        with trial:
            _inside.yes = True
            try:
                permit.ask()
                return unit()
            finally:
                _inside.yes = False
    raise AssertionError("stamina either returns or raises")
