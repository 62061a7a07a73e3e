"""
Cases for people: a healed, a refused and an open one, in 80 columns, wide, and for programs.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from flows import case_text
from fournines.cli import app
from fournines.clock import SystemClock
from fournines.cloud.simulated import Behaviour
from fournines.commands import casework, frame
from fournines.model.case import Case, CaseEvent, CaseState, Diagnosis, Subject
from fournines.settings import Settings, settings
from fournines.store.sql import open_store
from tasks import case_report
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"


@pytest.fixture(scope="module")
def healed(tmp_path_factory):
    """
    A killed member, healed on the simulated cloud; and one that waits.
    """
    clinic = Clinic(tmp_path_factory.mktemp("clinic"))
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    (closed,) = clinic.heal()
    return clinic, closed


@pytest.fixture
def command(healed, tmp_path, monkeypatch, capsys):
    """
    The command line over a store with these cases, in a terminal of a given width.
    """
    clinic, closed = healed
    monkeypatch.setenv("FOURNINES_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("FOURNINES_SLOT", "49")
    settings.cache_clear()
    store = open_store(Settings(state_dir=tmp_path, slot=49).store_url)
    plan = clinic.store.journal.plan(closed.plan_id)
    store.journal.open_plan(plan, holder="test", at=closed.opened_at)
    for entry in clinic.store.journal.entries(closed.plan_id):
        store.journal.intend(plan.id, entry.step_id, entry.kind, at=entry.intended_at)
        store.journal.finish(
            plan.id, entry.step_id, entry.state, at=entry.ended_at, error=entry.error
        )
    store.cases.put(closed)
    now = SystemClock().now()
    store.cases.put(
        Case(
            id="case-11111111",
            subject=Subject(platform="demo", service="other", group="web", slot=0),
            opened_at=now,
            diagnosis=Diagnosis.HUNG,
            events=(CaseEvent(at=now, event="case_opened", text="\x1b[2J[red]x"),),
        )
    )
    store.close()

    def run(*words, width=80):
        frame.out.width = width
        code = frame.run(app, list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    settings.cache_clear()


@pytest.mark.parametrize("width", [80, 200])
def test_a_list_fits_its_terminal(command, healed, width):
    """
    Newest first, no line wider than the terminal, verdict included.
    """
    code, out, _ = command("cases", width=width)

    assert code == 0
    assert max(len(row) for row in out.splitlines()) <= width
    assert out.index("case-11111111") < out.index(healed[1].id)
    assert "recovered" in out
    assert "replaced" in out


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        pytest.param(["--open"], {"case-11111111"}, id="open"),
        pytest.param(["--service", "other"], {"case-11111111"}, id="service"),
        pytest.param(["--since", "2h"], {"case-11111111"}, id="since-an-age"),
        pytest.param(["--since", "2000-01-01"], {"both"}, id="since-a-date"),
        pytest.param(["--service", "none"], set(), id="nothing"),
    ],
)
def test_choosing(command, healed, words, ids):
    """
    Filters choose, and programs get the same.
    """
    _, out, _ = command("cases", *words, "--json")
    wanted = {"case-11111111", healed[1].id} if ids == {"both"} else ids

    assert {one["id"] for one in json.loads(out)} == wanted


@pytest.mark.parametrize(
    "text", ["yesterday", "2x", "", "-5m", "9999999h", "999999w", "\x1b[2J"]
)
def test_a_since_that_is_none(command, text):
    """
    One sentence, status 2.
    """
    code, out, err = command("cases", "--since", text)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "\x1b" not in err


@pytest.mark.parametrize("width", [80, 160])
def test_one_case_says_everything(command, healed, width):
    """
    Who, what, why, evidence, plan, rejected rungs, steps with times and what was expected, verdict.
    """
    code, out, _ = command("case", healed[1].id, width=width)

    assert code == 0
    assert max(len(row) for row in out.splitlines()) <= width
    for wanted in (
        "recovered",
        SICK,
        "ProbeFail",
        "gone",
        "first action",
        "redundancy again",
        "why not the other rungs",
        "watch",
        "evidence",
        "steps",
        "expected",
        "what happened",
    ):
        assert wanted in out
    plan = healed[0].store.journal.plan(healed[1].plan_id)
    flat = "".join(out.split())
    assert [step.id for step in plan.steps if step.id not in flat] == []


def test_a_case_for_programs(command, healed):
    """
    The case's own fields, and the report beside them.
    """
    _, out, _ = command("case", healed[1].id, "--json")
    said = json.loads(out)

    assert said["id"] == healed[1].id
    steps = said["report"]["steps"]
    assert steps
    assert {step["state"] for step in steps} == {"done"}
    assert all(step["took_seconds"] is not None for step in steps)


def test_hostile_text_in_a_case_is_text(command):
    """
    No escape reaches the terminal, no markup is taken for markup.
    """
    _, out, _ = command("case", "case-11111111")

    assert "\x1b" not in out
    assert "[2J[red]x" in out


def test_no_such_case(command):
    """
    One sentence, status 2.
    """
    code, _, err = command("case", "case-\x1b[31m")

    assert code == 2
    assert "there is no case" in err
    assert "\x1b" not in err


def test_the_artifact_says_the_same(healed):
    """
    What the terminal shows stands in Prefect's artifact: facts, steps, rejected rungs, those with one reason together.
    """
    clinic, closed = healed
    report = case_report.read(clinic.store, closed)
    page = case_text.verdict(closed, report)

    for row in report.steps:
        assert f"| `{row.step}` |" in page
    assert "## Why not the other rungs" in page
    for rungs in case_report.said_once(report.rejected):
        assert f"| {rungs} |" in page
    assert "first action" in page


def test_predicted_beside_actual(healed):
    """
    Both are sums over the same steps.
    """
    clinic, closed = healed
    report = case_report.read(clinic.store, closed)

    assert report.case.state is CaseState.RECOVERED
    assert report.predicted_seconds is not None
    assert report.actual_seconds == pytest.approx(
        sum(step.took_seconds for step in report.steps), abs=0.01
    )


def test_a_date_without_zone_is_utc():
    """
    The command line speaks UTC, as everything it prints.
    """
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert casework.moment("2026-11-22T10:00", now) == now - timedelta(hours=2)
    assert casework.moment("3d", now) == now - timedelta(days=3)
