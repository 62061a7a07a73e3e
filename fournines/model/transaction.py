"""
What one transaction of our own through a service's endpoint came to: what its users get, for services that speak no HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from fournines.model.value import Value

FAILED_MIN = 2
"""So many on end say that users get nothing: one may be bad luck."""

AGE_MAX = timedelta(seconds=5)
"""Older ones say nothing of now."""


class Transaction(Value):
    """
    One try.

    Attributes:
        at: When it began.
        ok: Everything it did was acknowledged and read back.
        seconds: How long it took, or until it was given up.
        error: Why it failed, in few words and without secrets; empty when it did not.
    """

    at: datetime
    ok: bool
    seconds: float
    error: str = ""


def failed_lately(
    tried: Sequence[Transaction], now: datetime
) -> tuple[Transaction, ...]:
    """
    The last of a service's transactions, if enough of them failed on end and they are news; else nothing.
    """
    last = tuple(tried[-FAILED_MIN:])
    if len(last) < FAILED_MIN or any(one.ok for one in last):
        return ()
    return last if now - last[-1].at <= AGE_MAX else ()
