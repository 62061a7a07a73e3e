"""
A case: one episode from the first sign to the verdict.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from pydantic import Field, JsonValue

from fournines.model.refusal import Refusal
from fournines.model.value import Value

KEYS_KEPT = 16_384
"""Slots whose key is remembered: every brake and every list of cases asks for it."""

EVERYWHERE = "*"
"""The platform of cases about what all platforms stand on: the healer's own senses. No platform can be called that."""


class Subject(Value):
    """
    What a case is about: a place in a platform. `instance` is the instance met there when the case was opened.
    """

    platform: str
    service: str
    group: str | None = None
    slot: int | None = None
    instance: str | None = None

    @property
    def key(self) -> str:
        """
        One open case per key: the slot where there is one, else the service.
        """
        return _key(self.platform, self.service, self.group, self.slot)

    @property
    def is_everywhere(self) -> bool:
        """
        Whether it is one of the healer's senses, and no place in a platform: nobody treats that.
        """
        return self.platform == EVERYWHERE


@lru_cache(maxsize=KEYS_KEPT)
def _key(platform: str, service: str, group: str | None, slot: int | None) -> str:
    place = (platform, service, group, slot)
    return "/".join(str(part) for part in place if part is not None)


class Diagnosis(StrEnum):
    """
    What is wrong.
    """

    GONE = "gone"
    HUNG = "hung"
    FAILING = "failing"
    GREY_ERRORS = "grey-errors"
    GREY_SLOW = "grey-slow"
    HOST_DOWN = "host-down"
    ZONE_DOWN = "zone-down"
    QUORUM_LOST = "quorum-lost"
    SPLIT_VIEW = "split-view"
    NO_LEADER = "no-leader"
    OUTSIDE = "outside"
    LAGGING = "lagging"
    BAD_RELEASE = "bad-release"
    DEPENDENCY = "dependency"
    SATURATED = "saturated"
    BALANCER = "balancer"
    FLAPPING = "flapping"
    DRIFT = "drift"
    NOTHING = "nothing"
    BLIND = "blind"
    UNKNOWN = "unknown"


class CaseState(StrEnum):
    """
    Where a case stands. The last three are its ends.
    """

    OPEN = "open"
    DIAGNOSED = "diagnosed"
    AWAITING = "awaiting-approval"
    ACTING = "acting"
    VERIFYING = "verifying"
    RECOVERED = "recovered"
    REFUSED = "refused"
    PAGED = "paged"

    @property
    def ended(self) -> bool:
        """
        Whether nothing more will happen.
        """
        return self in {CaseState.RECOVERED, CaseState.REFUSED, CaseState.PAGED}


class CaseEvent(Value):
    """
    One thing that happened in a case: what the log, the table and the Prefect artifact all show.
    """

    at: datetime
    event: str
    text: str
    facts: dict[str, JsonValue] = Field(default_factory=dict)


class Case(Value):
    """
    One episode.

    Attributes:
        id: `case-<8 hex digits>` from the subject's key and the moment of opening.
        woken_by: Names of the alerts (or `reconcile`) that woke us.
        fault_at: The best known begin: the earliest alert's startsAt.
        first_action_at: When the first corrective call was made.
        budget_seconds: Budget the service spent between `fault_at` and the close; None while unknown.
        cause: What the case shares with others (a host, a zone, a release, a dependency, a load balancer); None for a matter of one member.
        leader: The first case of the same cause: the one story is told there. None in the leader itself.
        evidence: Measurements by name: console tail, metrics before and after.
    """

    id: str
    subject: Subject
    opened_at: datetime
    state: CaseState = CaseState.OPEN
    woken_by: tuple[str, ...] = ()
    fault_at: datetime | None = None
    detected_at: datetime | None = None
    first_action_at: datetime | None = None
    out_of_pool_at: datetime | None = None
    redundancy_at: datetime | None = None
    closed_at: datetime | None = None
    diagnosis: Diagnosis | None = None
    cause: str | None = None
    leader: str | None = None
    plan_id: str | None = None
    refusals: tuple[Refusal, ...] = ()
    verdict: str | None = None
    budget_seconds: float | None = None
    events: tuple[CaseEvent, ...] = ()
    evidence: dict[str, JsonValue] = Field(default_factory=dict)
    flow_run_id: str | None = None
