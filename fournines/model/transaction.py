"""
What one transaction of our own through a service's endpoint came to: what its users get, for services that speak no HTTP.
"""

from __future__ import annotations

from datetime import datetime

from fournines.model.value import Value


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
