"""
"No" is a result, with a reason.
"""

from __future__ import annotations

from enum import StrEnum

from fournines.model.value import Value


class Reason(StrEnum):
    """
    Why something was not done. Each has a table test, a metric label and a paragraph in docs/runbooks/refusals.md.
    """

    SWITCHED_OFF = "switched-off"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    STORM = "storm"
    PLATFORM_STORM = "platform-storm"
    CALMING = "calming"
    ZONE_OUTAGE = "zone-outage"
    MIN_HEALTHY = "min-healthy"
    QUORUM = "quorum"
    DISRUPTIONS = "disruptions"
    ATTEMPTS = "attempts"
    COOL_DOWN = "cool-down"
    FLAPPING = "flapping"
    QUARANTINE = "quarantine"
    DEPENDENCY = "dependency"
    SIZE = "size"
    FAILOVER_STOPPED = "failover-stopped"
    REHEARSAL = "rehearsal"
    EVIDENCE_MISSING = "evidence-missing"
    BLIND = "blind"
    NOTHING_WRONG = "nothing-wrong"
    NOT_OURS = "not-ours"
    LOCKED = "locked"
    BUSY = "busy"
    BURNING = "burning"
    QUOTA = "quota"
    CAPACITY = "capacity"
    NAME_TAKEN = "name-taken"
    MISSING = "missing"
    STALE = "stale"
    IMMUTABLE = "immutable"
    LOGIN = "login"
    APPROVAL = "approval"
    FAILED = "failed"


class Refusal(Value):
    """
    What was not done, and why.

    Attributes:
        subject: What it is about: a service, a slot, an instance, a resource.
        detail: One sentence with the numbers.
    """

    reason: Reason
    detail: str
    subject: str = ""
