"""
What the doctor finds: one sentence, one remedy.
"""

from __future__ import annotations

from enum import StrEnum

from fournines.cloud.errors import CloudError
from fournines.model.value import Value


class Verdict(StrEnum):
    """
    What a finding means: serves; serves with a limit; does not serve.
    """

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Value):
    """
    The answer to one question about a cloud.
    """

    name: str
    verdict: Verdict
    sentence: str
    remedy: str = ""


def found(
    name: str,
    sentence: str,
    *,
    complaint: str = "",
    remedy: str = "",
    fatal: bool = False,
) -> Finding:
    """
    OK with the sentence, unless there is a complaint.
    """
    if not complaint:
        return Finding(name=name, verdict=Verdict.OK, sentence=sentence)
    verdict = Verdict.FAIL if fatal else Verdict.WARN
    return Finding(name=name, verdict=verdict, sentence=complaint, remedy=remedy)


def failed(name: str, error: CloudError) -> Finding:
    """
    What could not be asked at all.
    """
    return Finding(
        name=name,
        verdict=Verdict.FAIL,
        sentence=f"{error.attempted}: {error.detail}",
        remedy=error.remedy or "Ask the cloud's operator",
    )


def some(names: list[str], most: int = 4) -> str:
    """
    The first few of many names.
    """
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
