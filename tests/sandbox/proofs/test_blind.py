"""
Blind: what the healer sees, hears, records with and acts by is away for two minutes, one after the other, while a member hangs.

What must not happen is counted; how soon we said so ourselves, and how soon users were served again, is noted as a figure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from fournines.model.case import CaseState, Diagnosis

pytestmark = [pytest.mark.sandbox, pytest.mark.bench]

AWAY_SECONDS = 120
BACK_SECONDS_MAX = 60
"""A sense is asked every second or few; a program takes its time to start."""

SENSES = {
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "prefect": "prefect",
    "database": "prefect-database",
    "keystone": "keystone",
}

Tell = Callable[[str], None]


class Watch:
    """
    When a door was first found shut.
    """

    def __init__(self) -> None:
        self.away_at: float | None = None


@contextmanager
def watching(url: str | None) -> Iterator[Watch]:
    """Ask a page ten times a second, in the background."""
    watch, over = Watch(), threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=1, trust_env=False) as client:
            while url and watch.away_at is None and not over.wait(0.1):
                try:
                    client.get(url)
                except httpx.HTTPError:
                    watch.away_at = time.time()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def door_of(stage: Any, what: str) -> str | None:
    """Where something answers; a locked database has no door of its own."""
    if what == "keystone":
        return str(stage.cloud.connect("fournines").config.auth["auth_url"])
    pages = {"prefect": "/api/health"}
    if what == "database":
        return None
    return f"{stage.settings.url(what)}{pages.get(what, '/-/ready')}"


def slot_of(instance: str) -> str:
    """The place of an instance."""
    return instance.rpartition("-g")[0]


def sense_case(stage: Any, sense: str, since: float) -> Any:
    """The case of a lost sense."""
    found = [c for c in stage.cases(since) if c.subject.key == f"*/{sense}"]
    assert found, stage.say()
    return found[0]


def closed_again(stage: Any, opened: Any) -> Any:
    """The same case once it is closed."""
    deadline = time.monotonic() + BACK_SECONDS_MAX * stage.patience
    while True:
        case = stage.workshop.store.cases.case(opened.id)
        if case.state.ended:
            return case
        assert time.monotonic() < deadline, f"{opened.id} stays open: {stage.say()}"
        time.sleep(1)


@pytest.mark.parametrize("what", list(SENSES))
def test_blind(stage: Any, clean: Any, tell: Tell, figures: Any, what: str) -> None:
    """
    The alarm is ours, the sense has a case that closes when it is back, nobody but the victim is touched, and the incident is not lost.
    """
    sense = SENSES[what]
    stage.await_whole()
    others = {item.name for item in stage.inventory().instances}
    victim = stage.victim()
    with stage.users() as users, watching(door_of(stage, what)) as watch:
        asked_at = time.time()
        with stage.blinded(what):
            # What is stopped is away before the command that stopped it has ended.
            away_at = watch.away_at or time.time()
            hung_at = stage.fault("hang", victim)
            time.sleep(max(0.0, away_at + AWAY_SECONDS - time.time()))
            opened = sense_case(stage, sense, asked_at)
            alarms = stage.pager.told(away_at, sense=sense)
        took = stage.await_whole(without=victim)
        moved = users.moved_seconds(hung_at)

    closed = closed_again(stage, opened)
    kept = {item.name for item in stage.inventory().instances}
    wrong = stage.steps_about_others(asked_at, slot_of(victim))
    lost = stage.lost(hung_at, [slot_of(victim)])
    paged = [
        case.id
        for case in stage.cases(asked_at)
        if case.state is CaseState.PAGED and case.subject.slot is not None
    ]
    alarm = min((at for at, _ in alarms), default=float("nan"))
    tell(
        f"without {sense}: alarm after {alarm} s, traffic moved after {moved} s, {closed.verdict}; whole {took} s after it was back"
    )
    figures.note(
        14,
        f"own alarm, {sense} away",
        alarm,
        "s",
        goal="<= 10",
        others="Prometheus and Alertmanager say nothing of their own death",
    )
    figures.note(
        14,
        f"traffic moved, {sense} away",
        moved,
        "s",
        goal="<= 10",
        others="flows stand still without Prefect; Octavia 12-25 s",
    )
    figures.note(14, f"actions on absent data, {sense} away", len(wrong), "", goal="0")
    figures.note(14, f"incidents lost, {sense} away", len(lost), "", goal="0")

    assert alarms
    assert (opened.diagnosis, closed.state) == (Diagnosis.BLIND, CaseState.RECOVERED)
    assert others - kept <= {victim}
    assert wrong == []
    assert paged == []
    assert lost == []
    assert stage.settled_audit() == clean
