"""
Every brake is whole: a reason that is given somewhere, a table test, a paragraph for people, and a metric that counts it. That each brake has a law is
held by tests/decide/test_brake_laws.py, that each reason is a line of its case and a count by tests/story/test_refusals_shown.py.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from alerts import conventions
from fournines.model.case import Diagnosis
from fournines.model.refusal import Reason

ROOT = Path(__file__).resolve().parents[2]
GIVING = ("alerts", "blueprints", "fournines", "flows", "healing", "tasks")


def text_of(*folders: str) -> str:
    """
    All Python below some folders.
    """
    return "\n".join(
        path.read_text()
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if ".venv" not in path.parts and "node_modules" not in path.parts
    )


@pytest.fixture(scope="module")
def tests() -> dict[str, str]:
    """
    The body of every test function and of every table of parameters, by file.
    """
    found = {}
    for folder in ("decide", "story"):
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
            found[f"{folder}/{path.name}"] = path.read_text()
    return found


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_given_by_code(reason):
    """
    A reason that nobody gives is a promise that nobody keeps.
    """
    said = rf"Reason\.{reason.name}\b"

    assert re.search(said, text_of(*GIVING)), reason


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_has_a_test(reason, tests):
    """
    Some decision's table or story asserts that this very reason is given.
    """
    where = [name for name, text in tests.items() if f"Reason.{reason.name}" in text]

    assert where, reason


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_has_its_paragraph(reason):
    """
    In the refusals' runbook: what it means and what to do.
    """
    page = (ROOT / "docs" / "runbooks" / "refusals.md").read_text()
    sections = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}

    assert "**Do:**" in sections[reason.value], reason


@pytest.mark.parametrize("diagnosis", Diagnosis)
def test_a_diagnosis_has_a_test(diagnosis, tests):
    """
    Some table or story asserts that this very diagnosis is made.
    """
    said = f"Diagnosis.{diagnosis.name}"

    assert [name for name, text in tests.items() if said in text], diagnosis


def test_every_diagnosis_is_made_by_an_engine():
    """
    Each engine's finding names its diagnosis, and none is left over.
    """
    made = set()
    paths = [*(ROOT / "healing").rglob("*.py"), ROOT / "flows" / "drift.py"]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "Diagnosis"
            ):
                made.add(node.attr)

    assert {diagnosis.name for diagnosis in Diagnosis} - made == set()


@pytest.mark.parametrize(
    "metric",
    [
        pytest.param(conventions.CASES_CLOSED, id="cases-by-class-and-verdict"),
        pytest.param(conventions.CASES_ENDED, id="verdicts"),
        pytest.param(conventions.REFUSALS, id="refusals-by-reason"),
        pytest.param(conventions.CASE_DETECTION_BUCKET, id="detection"),
        pytest.param(conventions.CASE_FIRST_ACTION_BUCKET, id="first-action"),
        pytest.param(conventions.CASE_REDUNDANCY_BUCKET, id="recovery"),
        pytest.param(conventions.INBOX_DEPTH, id="inbox-depth"),
        pytest.param(conventions.CASES_HELD, id="lease-holder"),
        pytest.param(conventions.WATCHDOG_AGE, id="last-watchdog"),
    ],
)
def test_what_the_healer_says_of_itself_is_drawn(metric):
    """
    Every metric of the healer itself has a panel on a dashboard.
    """
    drawn = "".join(
        path.read_text()
        for path in sorted((ROOT / "dashboards" / "generated").glob("*.json"))
    )

    assert re.search(rf"\b{metric}\b", drawn), metric
