"""
Kinds of diagnoses: which call the member itself sick, which call for its replacement, and which brakes have no say in them.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.refusal import Reason

SICK = frozenset(
    {
        Diagnosis.GONE,
        Diagnosis.HUNG,
        Diagnosis.FAILING,
        Diagnosis.GREY_ERRORS,
        Diagnosis.GREY_SLOW,
    }
)
"""The member is the cause, as far as its own evidence says."""

REPLACED = SICK | {
    Diagnosis.HOST_DOWN,
    Diagnosis.ZONE_DOWN,
    Diagnosis.OUTSIDE,
    Diagnosis.LAGGING,
}
"""Another instance, perhaps elsewhere, is a remedy."""

A_PERSONS = frozenset(
    {Diagnosis.QUORUM_LOST, Diagnosis.SPLIT_VIEW, Diagnosis.NO_LEADER}
)
"""A cluster that cannot decide: whatever is taken away now may be what nobody else has."""

WELL = frozenset({Diagnosis.NOTHING, Diagnosis.FLAPPING})
"""Nothing is wrong now; at most its weight is given back."""

SERVICE_WIDE = frozenset(
    {
        Diagnosis.BAD_RELEASE,
        Diagnosis.DEPENDENCY,
        Diagnosis.SATURATED,
        Diagnosis.BALANCER,
    }
)
"""The cause is not in the member: replacing it would help nobody."""

REMEDIED_AS_ONE = SERVICE_WIDE - {Diagnosis.DEPENDENCY}
"""One remedy for the whole service: what is wrong with its members meanwhile is part of the same story."""

_OF_THE_INSTANCE = frozenset(
    {
        Reason.STORM,
        Reason.PLATFORM_STORM,
        Reason.CALMING,
        Reason.ZONE_OUTAGE,
        Reason.LOCKED,
        Reason.STALE,
        Reason.FLAPPING,
        Reason.QUORUM,
    }
)
"""Brakes about one instance; a storm is what these causes look like from a member."""

_WATCH_ASKS = frozenset(
    {Reason.SWITCHED_OFF, Reason.PAUSED, Reason.NOT_OURS, Reason.BUSY, Reason.STALE}
)
"""Giving a weight back needs no more than these brakes' leave."""


def has_a_say(reason: Reason, diagnosis: Diagnosis) -> bool:
    """
    Whether a brake's refusal counts with this diagnosis.
    """
    if diagnosis in WELL | A_PERSONS or diagnosis is Diagnosis.DEPENDENCY:
        return reason in _WATCH_ASKS
    if diagnosis in SERVICE_WIDE:
        return reason not in _OF_THE_INSTANCE
    if diagnosis in REPLACED:
        return reason is not Reason.FLAPPING
    return True
