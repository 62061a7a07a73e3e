"""
Every refusal is seen by whoever looks: as a line of its case, in the case's page, on the command line, and as a number in the metrics.
"""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from alerts import conventions
from flows import case_text
from flows.case_book import CaseBook
from flows.healer_gauges import Counts
from fournines.commands import casework
from fournines.model.case import Case, CaseState, Subject
from fournines.model.refusal import Reason, Refusal
from tasks import case_report
from tests.story.clinic import Clinic

SUBJECT = Subject(platform="demo", service="shop", group="web", slot=1)
DETAIL = "1 of 4 | with its numbers"
"""A bar is what would break a table in Markdown."""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """
    A service as it was asked for.
    """
    return Clinic(tmp_path_factory.mktemp("shown"))


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_is_a_line_in_its_case_and_a_count(clinic, reason, capsys):
    """
    Reason and sentence stand among the case's events and refusals, on its page and in `fournines case`; the counter of the reason rises by one.
    """
    now = clinic.clock.now()
    opened = Case(
        id=f"case-{reason.value}",
        subject=SUBJECT,
        opened_at=now,
        detected_at=now,
        state=CaseState.OPEN,
        woken_by=("proof",),
    )
    book = CaseBook(clinic.workshop, opened)
    book.refuse((Refusal(reason=reason, detail=DETAIL, subject=SUBJECT.key),))
    ended = book.close(CaseState.REFUSED, f"refused: {DETAIL}")

    (told,) = [one for one in ended.events if one.event == "refused"]
    assert (told.text, told.facts) == (DETAIL, {"reason": reason.value})
    assert [(r.reason, r.detail) for r in ended.refusals] == [(reason, DETAIL)]
    assert f"| {reason.value} | 1 of 4 \\| with its numbers |" in case_text.verdict(
        ended
    )

    capsys.readouterr()
    casework.show(case_report.read(clinic.store, ended))
    assert f"{reason.value} {DETAIL}" in " ".join(capsys.readouterr().out.split())

    registry = CollectorRegistry()
    counts = Counts(registry)
    counts.closed(ended)
    assert (
        registry.get_sample_value(conventions.REFUSALS, {"reason": reason.value}) == 1
    )


def test_a_reason_shared_by_rungs_is_said_once():
    """
    Rungs that were not taken for the same reason stand together, in their order; nobody reads one sentence seven times.
    """
    rejected = {"watch": "it is sick", "restart": "as slow", "leave": "it is sick"}

    assert case_report.said_once(rejected) == {
        "watch, leave": "it is sick",
        "restart": "as slow",
    }
