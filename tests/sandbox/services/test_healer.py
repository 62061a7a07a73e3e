"""
The healer heals real databases, buses and caches with no person's hand: from the alert to a case that is closed, under writers that count what is lost.

One fault of each kind, in one service of each kind: a death, a hang, a cut. Counts are asserted; seconds are printed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboards import build
from fournines.cloud.errors import CloudError
from fournines.local import supervision
from fournines.metrics.prometheus import Prometheus
from fournines.metrics.protocol import MetricsError
from fournines.model.case import Case, CaseState
from fournines.settings import Settings
from tests.sandbox.services import clients
from tests.sandbox.services.bus_and_cache import Deployed
from tests.sandbox.services.command import fournines

pytestmark = pytest.mark.sandbox

WHOLE_SECONDS_MAX = 240
MEASURED_SECONDS_MAX = 120


@pytest.fixture(scope="module")
def healer(cloud) -> Iterator[Settings]:
    """
    Everything local runs; its programs end with these proofs.
    """
    chosen = Settings()
    fournines("up")
    yield chosen
    supervision.stop(chosen)


def await_true(what: str, true: Callable[[], bool], seconds: float) -> float:
    """
    Wait until something is true; returns how long that took.
    """
    began = time.monotonic()
    while True:
        try:
            if true():
                return round(time.monotonic() - began, 1)
        except (CloudError, MetricsError):
            pass
        assert time.monotonic() - began < seconds, f"not in {seconds} s: {what}"
        time.sleep(0.5)


def await_measured(metrics: Prometheus, service: Deployed) -> None:
    """
    Wait until each member is probed and transactions are counted: a fault before that is no alert's.
    """
    where = f'platform="{service.platform}"'
    count = service.service.groups[0].count
    for query, least in (
        (f"sum(probe_success{{{where}}})", count),
        (f"sum(fournines:transaction_total:rate1m{{{where}}})", 0.3),
    ):
        await_true(
            query,
            lambda q=query, n=least: any(s.value >= n for s in metrics.instant(q)),
            MEASURED_SECONDS_MAX,
        )


def await_healed(service: Deployed, since: datetime, slot: str) -> Case:
    """
    The case about a slot that is closed as recovered and has changed something.
    """
    found: list[Case] = []

    def is_healed() -> bool:
        known = service.workshop.store.cases.cases(since=since, limit=100)
        here = [
            case
            for case in known
            if case.subject.platform == service.platform
            and (case.subject.instance or "").rpartition("-g")[0] == slot
        ]
        found[:] = here
        return any(c.state is CaseState.RECOVERED and c.plan_id for c in here)

    try:
        await_true(f"{slot} is healed", is_healed, WHOLE_SECONDS_MAX)
    except AssertionError as late:
        told = [f"{c.id} {c.state} {c.diagnosis}: {c.verdict}" for c in found]
        raise AssertionError("\n".join([str(late), *told])) from late
    return next(c for c in found if c.state is CaseState.RECOVERED and c.plan_id)


MEDIUM = {"flavor": "m1.medium", "volume_size_gb": 1}


@pytest.mark.parametrize(
    "kind",
    [
        # The cheapest is CI's as well: the others take three to five minutes each.
        pytest.param(
            ("cache", "kill", {"flavor": "m1.small"}),
            marks=pytest.mark.full,
            id="cache-killed",
        ),
        pytest.param(
            ("rabbitmq", "hang", MEDIUM | clients.TOPOLOGY),
            marks=pytest.mark.bench,
            id="bus-hangs",
        ),
        pytest.param(
            ("postgres", "cut", MEDIUM),
            marks=pytest.mark.bench,
            id="database-cut-off",
        ),
    ],
)
def test_a_member_is_healed_by_the_healer_alone(
    healer, deployed, kind, capsys, tmp_path
):
    """
    Whoever leads is struck under load: its case ends as recovered, the slot has a new instance with the old address that is a full member, nothing
    that was acknowledged is lost, a plan finds nothing to do, and each dashboard of its kind has data.
    """
    blueprint, fault, parameters = kind
    service = deployed(blueprint, "data", **parameters)
    metrics = Prometheus(healer.url("prometheus"), timeout_seconds=30)
    await_measured(metrics, service)
    before = service.view()
    slot = before.leader or before.members[0].slot_name
    addresses = {m.slot_name: m.address for m in before.members}
    struck = service.instance(slot)
    since = datetime.now(UTC) - timedelta(seconds=1)

    with clients.application(service, tmp_path) as users:
        users.await_more(100)
        began = time.time()
        fournines("break", fault, struck)
        case = await_healed(service, since, slot)
        took = time.time() - began
        users.await_more(100)
    after = service.view()

    with capsys.disabled():
        sys.stdout.write(
            f"\n    {blueprint} {fault}: closed after {took:.1f} s, "
            f"{users.acknowledged()} acknowledged, longest pause "
            f"{users.longest_pause(began):.1f} s; {case.diagnosis}: {case.verdict}\n"
        )
    assert users.lost() == []
    assert all(member.settled for member in after.members), after
    assert {m.slot_name: m.address for m in after.members} == addresses
    assert service.planned_steps() == 0
    assert empty_panels(metrics, service) == []


def empty_panels(metrics: Prometheus, service: Deployed) -> list[tuple[str, str]]:
    """
    Panels of the service's own board that have no data.
    """
    end = datetime.now(UTC)
    return [
        (panel, query.expr)
        for _, panel, query in build.queries(service.service.blueprint)
        if not metrics.over(
            query.resolved(platform=service.platform, service=service.name),
            start=end - timedelta(minutes=10),
            end=end,
            step_seconds=5,
        )
    ]
