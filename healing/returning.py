"""
Coming back: members that healing left without requests and that are well again, without anybody having healed them.

After an outage of everything (a network, a power line) all come back together. Each then gets its requests back by the same way that a flap
takes: examined with fresh eyes, its weight restored, watched. What differs is only how long it has to wait for that.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis

_COMES_AND_GOES = frozenset(
    {Diagnosis.GREY_ERRORS, Diagnosis.GREY_SLOW, Diagnosis.UNKNOWN, Diagnosis.FLAPPING}
)
"""Faults that a few good probes do not disprove."""


def is_plain(diagnosis: Diagnosis | None) -> bool:
    """
    Whether what a slot was given up for is plainly over once its member answers: who was silent or dead, and answers, is neither.
    """
    return diagnosis not in _COMES_AND_GOES
