"""
Kinds of diagnoses: which call the member itself sick.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis

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
