"""
How long a certificate holds, and when it is to be renewed. Pure.
"""

from __future__ import annotations

from datetime import datetime

from fournines.model.value import Value

RENEW_SHARE = 1 / 3
"""What is left of its time when a certificate is renewed: room for weeks of failing attempts, with a certificate of months."""


class Validity(Value):
    """
    From when to when a certificate holds.
    """

    begins_at: datetime
    ends_at: datetime

    def left_seconds(self, now: datetime) -> float:
        """
        What is left of it; negative once it has ended.
        """
        return (self.ends_at - now).total_seconds()


def is_due(validity: Validity, now: datetime) -> bool:
    """
    Whether a certificate is to be renewed: a third of its time, or less, is left.
    """
    whole = (validity.ends_at - validity.begins_at).total_seconds()
    return validity.left_seconds(now) <= whole * RENEW_SHARE
