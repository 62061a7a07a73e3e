"""
A deployed platform with users, everything local running, and an auditor who counts what should not be.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fournines.cloud.errors import CloudError
from fournines.local import supervision
from fournines.metrics.prometheus import Prometheus
from fournines.metrics.protocol import MetricsError
from fournines.model import names
from fournines.model.case import Case, CaseState
from fournines.settings import Settings
from tasks import opening, request
from tasks.workshop import Workshop
from tests.sandbox.proofs.people import Pager, Rush, Users

ROOT = Path(__file__).resolve().parents[3]
FOURNINES = Path(sys.executable).parent / "fournines"
PLATFORM = ROOT / "examples" / "shop.yaml"
WHOLE_SECONDS_MAX = 150
"""Generous: what is proven are counts; how fast it was is printed."""

SETTLED_SECONDS_MAX = 60

PATIENCE = float(os.environ.get("FOURNINES_PATIENCE", "1"))
"""How many times longer to wait for what is proven, on a machine that does much else; what is counted stays the same."""

_DATABASE = "FOURNINES_DATABASE_URL"

_PAGES = "FOURNINES_PAGE_URL"


@dataclass
class Stage:
    """
    The platform under proof.
    """

    settings: Settings
    workshop: Workshop
    cloud: Any
    pager: Pager
    url_before: str | None = None
    gone: bool = False
    turn: int = 0
    patience: float = PATIENCE
    luck: random.Random = field(default_factory=lambda: random.Random(9999))

    # -- what is there

    @property
    def platform_file(self) -> Path:
        """The file that it was asked for with."""
        return PLATFORM

    @property
    def desired(self) -> Any:
        """What was asked for."""
        return request.read_platform(PLATFORM)

    @property
    def service(self) -> Any:
        """Its one service."""
        return self.desired.services[0]

    @property
    def group(self) -> Any:
        """The service's one group."""
        return self.service.groups[0]

    def slots(self) -> list[str]:
        """The names of its places."""
        place = (self.desired.name, self.service.name, self.group.name)
        return [names.slot(*place, number) for number in range(self.group.count)]

    def inventory(self) -> Any:
        """What the cloud has of it."""
        return self.workshop.cloud.inventory(self.desired.name)

    def members(self) -> list[Any]:
        """Who is in its pool."""
        balancer = self.service.load_balancers[0]
        found = self.workshop.cloud.pool(balancer.name, balancer.pools[0].name).members
        return sorted(found, key=lambda item: item.name)

    def serving(self) -> list[str]:
        """Names of the members that serve."""
        return [
            item.name
            for item in self.members()
            if item.weight > 0 and item.operating_status == "ONLINE"
        ]

    def victim(self) -> str:
        """A member that serves, each time in another place: who is healed too often is left to a person."""
        serving = {name.rpartition("-g")[0]: name for name in self.serving()}
        assert serving, self.say()
        slots = self.slots()
        while True:
            self.turn += 1
            name = serving.get(slots[self.turn % len(slots)])
            if name is not None:
                return name

    def cases(self, since: float) -> list[Case]:
        """Cases opened since a moment."""
        begin = datetime.fromtimestamp(since, UTC) - timedelta(seconds=1)
        return list(self.workshop.store.cases.cases(since=begin))

    def users(self) -> Users:
        """Users of the service, through its floating IP."""
        return Users(self.url())

    def rush(self, per_second: float) -> Rush:
        """Many requests at the same place."""
        return Rush(self.url(), per_second)

    def url(self) -> str:
        """Where its users find it."""
        wanted = self.service.load_balancers[0].name
        balancer = self.inventory().load_balancer(wanted)
        return f"http://{balancer.floating_address}/"

    # -- what is done

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command line as a person uses it."""
        return subprocess.run(
            [FOURNINES, *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=400 * PATIENCE,
        )

    def fault(self, kind: str, instance: str) -> float:
        """Break an instance; returns the moment."""
        self.cloud.run("break", kind, instance)
        return time.time()

    def kill(self, program: str) -> int:
        """Kill -9 of one local program; returns its pid."""
        (found,) = [
            one for one in supervision.states(self.settings) if one.name == program
        ]
        os.kill(found.pid, signal.SIGKILL)
        return found.pid

    @contextmanager
    def blinded(self, what: str) -> Iterator[None]:
        """Something the healer needs is away."""
        done = self.command("break", "blind", what)
        assert done.returncode == 0, done.stderr
        try:
            yield
        finally:
            done = self.command("mend", what)
            assert done.returncode == 0, done.stderr

    def take_away(self) -> None:
        """Mend all, destroy the platform, stop the programs; once."""
        if self.gone:
            return
        self.gone = True
        self.command("mend", "all")
        done = self.command("destroy", str(PLATFORM), "--yes", "--plain")
        supervision.stop(self.settings)
        _restore(self.url_before)
        assert done.returncode == 0, done.stdout + done.stderr

    # -- what is true

    def whole(self, without: str = "") -> bool:
        """Whether every place has one member that serves, an instance is gone, and nobody is at work any more."""
        try:
            serving = self.serving()
            found = [item.name for item in self.members()]
        except CloudError:
            return False
        places = {name.rpartition("-g")[0] for name in serving}
        store = self.workshop.store
        return (
            places == set(self.slots())
            and without not in found
            and len(found) == len(serving) == self.group.count
            and not store.cases.cases(open_only=True)
            and not store.journal.unfinished()
        )

    def await_whole(
        self, without: str = "", seconds: float = WHOLE_SECONDS_MAX
    ) -> float:
        """Wait for it; returns how long it took."""
        began = time.monotonic()
        while not self.whole(without):
            waited = time.monotonic() - began
            assert waited < seconds * PATIENCE, self.say()
            time.sleep(1)
        return round(time.monotonic() - began, 1)

    def await_measured(self) -> None:
        """Wait until Prometheus probes every member: a fault before that is the reconcile's, and no case's."""
        metrics = Prometheus(self.settings.url("prometheus"))
        deadline = time.monotonic() + WHOLE_SECONDS_MAX * PATIENCE
        probing = f'sum(probe_success{{service="{self.service.name}"}})'
        while True:
            with suppress(MetricsError):
                seen = metrics.instant(probing)
                if seen and seen[0].value >= self.group.count:
                    return
            assert time.monotonic() < deadline, "Prometheus does not probe every member"
            time.sleep(0.5)

    def say(self) -> str:
        """What stands now, for whoever reads a failure."""
        cases = self.workshop.store.cases.cases(limit=6)
        told = [f"{c.id} {c.subject.key} {c.state} {c.verdict}" for c in cases]
        return "\n".join([f"serving: {self.serving()}", *told])

    def audit(self) -> dict[str, int]:
        """
        What should not be, counted: more than one instance in a place, instances outside of the pool, members that
        get no traffic, and steps a plan would still take.
        """
        instances = [item.name for item in self.inventory().instances]
        places = Counter(name.rpartition("-g")[0] for name in instances)
        planned = self.command("plan", str(PLATFORM), "--json")
        assert planned.returncode == 0, planned.stderr
        inside = {item.name for item in self.members()}
        return {
            "doubles": sum(count - 1 for count in places.values()),
            "orphans": len(set(instances) - inside),
            "left_out": self.group.count - len(self.serving()),
            "planned": len(json.loads(planned.stdout)["steps"]),
        }

    def settled_audit(self) -> dict[str, int]:
        """The audit once it finds nothing; else the last one of a minute: a member may miss one health check on a busy machine."""
        deadline = time.monotonic() + SETTLED_SECONDS_MAX * PATIENCE
        while (found := self.audit()) != NOTHING and time.monotonic() < deadline:
            time.sleep(2)
        return found

    def steps_about_others(self, since: float, *places: str) -> list[str]:
        """Steps of healing plans that name none of these places."""
        journal = self.workshop.store.journal
        plans = [journal.plan(case.plan_id or "") for case in self.cases(since)]
        return [
            step.id
            for plan in plans
            if plan is not None
            for step in plan.steps
            if not any(place in step.id for place in places)
        ]

    def await_case(
        self, since: float, true: Callable[[Case], bool], seconds: float
    ) -> Case:
        """The first case of which something is true, waited for."""
        deadline = time.monotonic() + seconds * PATIENCE
        while True:
            found = [case for case in self.cases(since) if true(case)]
            if found:
                return found[-1]
            assert time.monotonic() < deadline, self.say()
            time.sleep(1)

    def lost(self, since: float, slots: list[str]) -> list[str]:
        """Places of faults that no recovered case is about."""
        place = (self.desired.name, self.service.name, self.group.name)
        recovered = {
            names.slot(*place, case.subject.slot)
            for case in self.cases(since)
            if case.state is CaseState.RECOVERED and case.subject.slot is not None
        }
        return sorted(set(slots) - recovered)


NOTHING = {"doubles": 0, "orphans": 0, "left_out": 0, "planned": 0}


def _restore(url: str | None) -> None:
    os.environ.pop(_DATABASE, None)
    if url is not None:
        os.environ[_DATABASE] = url


@pytest.fixture(scope="session")
def stage(cloud: Any, postgresql: str) -> Iterator[Stage]:
    """
    Everything running on a PostgreSQL store, and the platform deployed. The last of these tests takes it away; this does when that one did not run.
    """
    with ExitStack() as stack:
        before = os.environ.get(_DATABASE)
        stack.callback(_restore, before)
        os.environ[_DATABASE] = postgresql
        pager = stack.enter_context(Pager())
        stack.callback(os.environ.pop, _PAGES, None)
        os.environ[_PAGES] = pager.url
        settings = Settings()
        # Also when they do not all come up: nothing may go on with a store that is gone.
        stack.callback(supervision.stop, settings)
        done = subprocess.run(
            [FOURNINES, "up"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        workshop = stack.enter_context(opening.workshop(settings))
        made = Stage(settings, workshop, cloud, pager, before)
        deployed = made.command("deploy", str(PLATFORM), "--plain")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        made.await_whole()
        made.await_measured()
        yield made
        made.take_away()


@pytest.fixture
def clean() -> dict[str, int]:
    """
    What an audit finds when all is well.
    """
    return dict(NOTHING)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """
    Print a figure where people see it.
    """

    def now(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n    {line}\n")

    return now


@pytest.fixture(scope="session")
def figures() -> Iterator[Any]:
    """
    Figures beside those of the benches, in their table, file and chart.
    """
    # matplotlib is drawn in with them: only where something is noted.
    from tests.bench.figures import Figures

    noted = Figures()
    yield noted
    if noted.rows:
        noted.keep()
