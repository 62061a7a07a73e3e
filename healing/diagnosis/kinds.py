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

REPLACED = SICK | {Diagnosis.HOST_DOWN, Diagnosis.ZONE_DOWN, Diagnosis.FLAPPING}
"""Another instance, perhaps elsewhere, is a remedy."""

SERVICE_WIDE = frozenset(
    {
        Diagnosis.BAD_RELEASE,
        Diagnosis.DEPENDENCY,
        Diagnosis.SATURATED,
        Diagnosis.BALANCER,
    }
)
"""The cause is not in the member: replacing it would help nobody."""

_OF_THE_INSTANCE = frozenset({Reason.STORM, Reason.LOCKED, Reason.STALE})
"""Brakes about destroying instances; a storm is what these causes look like from a member."""

_HARMLESS = _OF_THE_INSTANCE | {
    Reason.ATTEMPTS,
    Reason.DISRUPTIONS,
    Reason.COOL_DOWN,
}
"""Giving a weight back disturbs nobody."""

NO_SAY: dict[Diagnosis, frozenset[Reason]] = {
    Diagnosis.NOTHING: _HARMLESS - {Reason.STALE},
    Diagnosis.DEPENDENCY: _HARMLESS - {Reason.STALE},
    Diagnosis.SATURATED: _OF_THE_INSTANCE,
    Diagnosis.BALANCER: _OF_THE_INSTANCE,
    Diagnosis.BAD_RELEASE: _OF_THE_INSTANCE,
}
"""Brakes that are not asked, by diagnosis; every other one is."""
