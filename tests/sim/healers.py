"""
A healer of the simulation: the real parts and bodies of the healer's process, without its web pages and without Prefect.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from blueprints import lifecycles
from flows.first_moves import FirstMoves
from flows.heal import treat
from flows.healer import (
    ADOPT_SECONDS,
    MOVES_AT_ONCE,
    REMIND_SECONDS,
    WATCH_SECONDS,
)
from flows.healer_beds import Beds
from flows.healer_inbox import Admissions
from flows.healer_sweep import Sweep
from flows.healer_view import View
from flows.ward import Ward
from fournines.cloud.errors import CloudError
from fournines.cloud.simulated import SimulatedCloud
from fournines.metrics.protocol import Metrics
from fournines.model.case import Case
from fournines.settings import Settings
from fournines.store.clock import StoreClock
from fournines.store.memory import MemoryStore
from fournines.store.protocol import AlertRecord, StoreError
from tasks import reconciliation
from tasks.operators.simulated import SimulatedOperator
from tasks.workshop import Workshop
from tests.sim.doors import Outage, Pointed, PointedStore, Told
from tests.sim.helpers import TurnCrew
from tests.sim.senses import Eyes
from tests.sim.turns import Process, TurnClock, Turns

SETTINGS = Settings(slot=0, state_dir=Path("/nonexistent"), poll_seconds=0.5)


class SimHealer:
    """
    One process. What it remembers dies with it.
    """

    def __init__(  # noqa: PLR0917  the whole world
        self,
        name: str,
        turns: Turns,
        cloud: SimulatedCloud,
        store: MemoryStore,
        metrics: Metrics,
        told: Told,
        outage: Outage,
        operator: SimulatedOperator,
    ) -> None:
        self.process = Process(name)
        self._turns = turns
        clock = StoreClock(store, TurnClock(turns, self.process))
        self.eyes = Eyes(cloud, turns, clock)
        number = count()
        asking = Pointed(operator, turns, self.process, "operator", told)
        crew = TurnCrew(turns, self.process)
        self.workshop = Workshop(
            cloud=Pointed(cloud, turns, self.process, "cloud", told),
            store=PointedStore(store, turns, self.process, told, outage),
            clock=clock,
            prober=self.eyes,
            settings=SETTINGS,
            crew=crew,
            holder=lambda: f"{name} run {next(number)}",
            operators={lifecycles.QUORUM: lambda _workshop: asking},
        )
        self.view = View(self.workshop)
        self.moves = FirstMoves(
            self.workshop, self.view, crew.hands(MOVES_AT_ONCE, "move")
        )
        self.ward = Ward.over(
            self.workshop,
            metrics,
            self.view.inventory,
            self.moves.of,
            self.view.has_served,
        )
        sweep = Sweep(self.workshop, self.view)
        self.admissions = Admissions(
            self.workshop, self.view, sweep.suspects, sweep.is_well, sweep.sick
        )
        self.beds = Beds(self.workshop, self._treat)
        self._mail = crew.event()

    def start(self) -> None:
        """
        Begin every loop.
        """
        self._loop("watch", self._watch, WATCH_SECONDS)
        self._loop("inbox", lambda: self._admit(self.admissions.sort()), None)
        self._loop(
            "remind", lambda: self._admit(self.admissions.remind()), REMIND_SECONDS
        )
        self._loop("adopt", self.beds.adopt, ADOPT_SECONDS)
        self._loop("reconcile", self._reconcile, float(SETTINGS.reconcile_seconds))

    def hear(self, record: AlertRecord) -> None:
        """
        The door: commit, then consider the first move.
        """

        def commit() -> None:
            try:
                news = self.workshop.store.inbox.put([record])
            except StoreError:
                # The door answers 503, and Alertmanager sends it again some time.
                return
            for new in news:
                self.moves.consider(new)
            self._mail.set()

        if not self.process.dead:
            self._turns.spawn("door", self.process, commit)

    def _loop(
        self, name: str, act: Callable[[], object], seconds: float | None
    ) -> None:
        def again() -> None:
            if name == "reconcile":
                self._turns.sleep(seconds or 1.0)
            while True:
                try:
                    act()
                except (CloudError, StoreError):
                    self._turns.sleep(1.0)
                if seconds is None:
                    if self._mail.wait(1.0):
                        self._mail.clear()
                else:
                    self._turns.sleep(seconds)

        self._turns.spawn(name, self.process, again)

    def _treat(self, case_id: str) -> Case:
        try:
            return treat(self.ward, case_id)
        except (CloudError, StoreError):
            raise
        except Exception as error:
            # Beds would call a person after three of these; here each is a mistake found.
            self._turns.broken.append(error)
            raise

    def _admit(self, opened: tuple[Case, ...]) -> None:
        for case in opened:
            self.beds.admit(case.id)

    def _watch(self) -> None:
        self.view.refresh()
        self._admit(self.admissions.notice(self.view.sightings()))

    def _reconcile(self) -> None:
        if not self.beds.occupied:
            reconciliation.reconcile(self.workshop)
