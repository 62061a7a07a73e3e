"""
What no single member causes, on the embedded cloud: a dead load balancer, too much to do, a dependency that is down. No member is touched for it.

Each of these needs to know what is usual, so users ask all the while, from some minutes before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from fournines.metrics.prometheus import Prometheus
from fournines.model.case import CaseState, Diagnosis
from fournines.model.refusal import Reason

pytestmark = [pytest.mark.sandbox, pytest.mark.bench]

CROWD = 3
"""Users at once, each ten times a second: more than twenty requests a second are a usual rate that can be missed."""

RUSH_PER_SECOND = 40
"""More than again as much."""

USUAL_SECONDS_MAX = 420
"""What is usual is measured without the last five minutes."""

FOUND_SECONDS_MAX = 150
LONG_SECONDS = 300
COUNT_MAX = 5

RIGHT = "load-balancer_admin"

Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def crowd(stage: Any) -> Iterator[list[Any]]:
    """
    Users who ask all the while; returned once it is known how much is usual.
    """
    stage.await_whole()
    metrics = Prometheus(stage.settings.url("prometheus"))
    rate = f'sum(avg_over_time(fournines:edge_total:rate1m{{service="{stage.service.name}"}}[1h] offset 5m))'
    with ExitStack() as stack:
        found = [stack.enter_context(stage.users()) for _ in range(CROWD)]
        deadline = time.monotonic() + USUAL_SECONDS_MAX * stage.patience
        while not any(s.value >= 20 for s in metrics.instant(rate)):
            assert time.monotonic() < deadline, metrics.instant(rate)
            time.sleep(5)
        yield found


@pytest.fixture
def may_fail_over(stage: Any, admin: Any) -> Iterator[None]:
    """
    The healer's user gets the right to Octavia's failover; a token knows the roles of its moment, so the healer begins anew.
    """
    project, user = (
        next(iter(found))
        for found in (
            admin.identity.projects(name="fournines"),
            admin.identity.users(name="fournines"),
        )
    )
    role = admin.identity.find_role(RIGHT) or admin.identity.create_role(name=RIGHT)
    admin.identity.assign_project_role_to_user(project, user, role)
    stage.kill("healer")
    time.sleep(10)
    yield
    admin.identity.unassign_project_role_from_user(project, user, role)
    stage.kill("healer")


def ids(stage: Any) -> dict[str, str]:
    """Every instance with its id: another one of the same name is another one."""
    return {item.name: item.id for item in stage.inventory().instances}


@pytest.mark.usefixtures("crowd")
def test_a_killed_front(stage: Any, clean: Any, breaking: Any, tell: Tell) -> None:
    """
    A load balancer's process is killed: the cloud starts it again by itself, and nobody does anything destructive.
    """
    before = ids(stage)
    began = time.time()
    with stage.users() as users:
        breaking("lb", stage.service.load_balancers[0].name)
        time.sleep(30)
        moved = users.moved_seconds(began)
    stage.await_whole()
    tell(f"load balancer killed: users get through again after {moved} s")

    assert ids(stage) == before
    assert stage.steps_about_others(began) == []
    assert stage.settled_audit() == clean


@pytest.mark.usefixtures("crowd")
def test_a_frozen_front_calls_a_person(
    stage: Any, clean: Any, breaking: Any, tell: Tell
) -> None:
    """
    A frozen load balancer, and no right to fail it over: a person is called, and no member is touched.
    """
    before = ids(stage)
    name = stage.service.load_balancers[0].name
    breaking("lb", name, "--how", "frozen")
    began = time.time()
    told = stage.await_case(
        began,
        lambda c: c.diagnosis is Diagnosis.BALANCER and c.state.ended,
        LONG_SECONDS,
    )
    took = time.time() - began
    stage.cloud.run("mend", name)
    stage.await_whole()
    tell(f"frozen load balancer: {told.verdict}, {took:.0f} s after it")

    assert told.state is CaseState.PAGED
    assert ids(stage) == before
    assert stage.settled_audit() == clean


@pytest.mark.usefixtures("crowd", "may_fail_over")
def test_a_frozen_front_is_failed_over(
    stage: Any, clean: Any, breaking: Any, tell: Tell, figures: Any
) -> None:
    """
    With the right to it Octavia's own failover is asked for, once, and users get through again; no member is touched.
    """
    before = ids(stage)
    name = stage.service.load_balancers[0].name
    began = time.time()
    with stage.users() as users:
        breaking("lb", name, "--how", "frozen")
        healed = stage.await_case(
            began,
            lambda c: c.diagnosis is Diagnosis.BALANCER and c.state.ended,
            LONG_SECONDS,
        )
        stage.await_whole()
        moved = users.moved_seconds(began)
    tell(f"frozen load balancer: {healed.verdict}; users get through after {moved} s")
    figures.note(13, "users through again after a frozen load balancer", moved, "s")

    assert healed.state is CaseState.RECOVERED
    assert ids(stage) == before
    assert stage.settled_audit() == clean


@pytest.mark.usefixtures("crowd")
def test_too_much_to_do(stage: Any, clean: Any, tell: Tell, tmp_path: Path) -> None:
    """
    Twice as many requests as usual, and every member makes them wait: more members are made, up to the group's limit and no further.
    """
    platform = yaml.safe_load(stage.platform_file.read_text())
    platform["services"][stage.service.name]["healing"]["count_max"] = COUNT_MAX
    allowed = tmp_path / "allowed.yaml"
    allowed.write_text(yaml.safe_dump(platform))
    done = stage.command("deploy", str(allowed), "--plain")
    assert done.returncode == 0, done.stderr
    before = ids(stage)
    began = time.time()
    with stage.rush(RUSH_PER_SECOND):
        time.sleep(15)
        # What each gets is more than it can do: it answers, late.
        for name in before:
            stage.cloud.run("break", "grey-slow", name, "--seconds", "0.9")
        case = stage.await_case(
            began,
            lambda c: c.diagnosis is Diagnosis.SATURATED and bool(c.plan_id),
            LONG_SECONDS,
        )
        deadline = time.monotonic() + FOUND_SECONDS_MAX * stage.patience
        while len(ids(stage)) < COUNT_MAX:
            assert time.monotonic() < deadline, stage.say()
            time.sleep(1)
        # With more members each has less to do.
        stage.cloud.run("mend", "all")
        case = stage.await_case(
            began, lambda c: c.id == case.id and c.state.ended, LONG_SECONDS
        )
    tell(f"too much to do: {case.verdict}")

    assert before.items() <= ids(stage).items()
    assert len(ids(stage)) == COUNT_MAX

    done = stage.command("deploy", str(stage.platform_file), "--plain")
    assert done.returncode == 0, done.stderr
    stage.await_whole()
    assert stage.settled_audit() == clean


CHAIN = """
platform: chain
network: {}
defaults: {image: debian-12, flavor: m1.tiny, zones: [az1, az2, az3]}
services:
  stock:
    blueprint: web
    parameters: {count: 2}
  front:
    blueprint: web
    depends_on: [stock]
    parameters: {count: 2}
"""


@pytest.fixture
def chain(stage: Any, tmp_path: Path) -> Iterator[Any]:
    """
    A platform of two services, one of which stands on the other.
    """
    file = tmp_path / "chain.yaml"
    file.write_text(CHAIN)
    done = stage.command("deploy", str(file), "--plain")
    assert done.returncode == 0, done.stdout + done.stderr
    time.sleep(30)
    yield file
    stage.command("mend", "all")
    done = stage.command("destroy", str(file), "--yes", "--plain")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("chain")
def test_a_dependency_that_is_down(stage: Any, tell: Tell, figures: Any) -> None:
    """
    The lower service fails and the upper one with it: the upper one is left alone, and the case says where the cause is.
    """
    found = stage.workshop.cloud.inventory("chain").instances
    before = {item.name: item.id for item in found}
    began = time.time()
    for name in sorted(before, reverse=True):
        kind = "errors" if "-stock-" in name else "grey-errors"
        stage.cloud.run("break", kind, name)
    told = stage.await_case(
        began,
        lambda c: (
            c.subject.service == "front"
            and c.diagnosis is Diagnosis.DEPENDENCY
            and c.state.ended
        ),
        LONG_SECONDS,
    )
    time.sleep(20)
    upper = [c for c in stage.cases(began) if c.subject.service == "front"]
    acted = [c.id for c in upper if c.plan_id]
    tell(f"dependency down: {told.verdict}; {len(upper)} cases of the upper service")
    figures.note(
        9, "healings of a dependent whose dependency is down", len(acted), "", goal="0"
    )

    assert Reason.DEPENDENCY in {r.reason for r in told.refusals}
    assert told.cause == "service stock"
    assert acted == []
    now = {i.name: i.id for i in stage.workshop.cloud.inventory("chain").instances}
    upper_before = {n: i for n, i in before.items() if "-front-" in n}
    assert upper_before.items() <= now.items()
