"""
What an engine found.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.value import Value

SAMPLES_MIN = 2
"""Own probes that must agree before anything irreversible: one bad sample is noise."""


class Finding(Value):
    """
    A diagnosis with what was seen, in one sentence.

    Attributes:
        cause: What else shares the trouble: `zone az1`, `service db`; None for a matter of this member alone.
        again: The evidence is not enough; look again rather than act.
    """

    diagnosis: Diagnosis
    saw: str
    cause: str | None = None
    again: bool = False
