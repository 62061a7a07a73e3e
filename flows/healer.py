"""
The healer: the long-running process that hears alerts, moves first, heals, and tells Prometheus where to look.

    door -> inbox -> first move (weight 0, milliseconds)
                  -> cases -> beds: a few heal flows at once, in this process, with Prefect or without
    watch: the cloud's resources every few seconds; reconcile on a timer; mirror what Prefect missed

It remembers nothing that is not in the store: killed at any moment and started again, it adopts its open cases.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import uvicorn
from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from starlette.applications import Starlette

from alerts.receiver import Door
from flows import consenting, drift, healer_senses, outage, run_log, transactions
from flows.certificate_gauges import CertificateGauges
from flows.cluster_gauges import ClusterGauges
from flows.first_moves import FirstMoves
from flows.heal import treat, treat_in_flow
from flows.healer_beds import Beds
from flows.healer_gauges import Counts, Gauges, Watchdog
from flows.healer_inbox import Admissions
from flows.healer_loops import Loops
from flows.healer_pages import Pages
from flows.healer_recorder import Recorder
from flows.healer_senses import SenseGauges
from flows.healer_sweep import Sweep
from flows.healer_view import View
from flows.healer_vitals import Vitals
from flows.recoverability import Recoverability
from flows.restraint_gauges import RestraintGauges
from flows.senses import Sense, Senses
from flows.transactions import Transactions
from flows.ward import Ward
from fournines import log
from fournines.metrics.prometheus import Prometheus
from fournines.metrics.protocol import Metrics
from fournines.model.case import Case
from fournines.settings import settings
from fournines.store.protocol import AlertRecord
from fournines.tokens import Tokens
from tasks import opening, retention
from tasks.batch import tending, yielding
from tasks.workshop import Workshop

WATCH_SECONDS = 4.0
"""From reading to reading of every platform's resources: some ten list calls each."""

ASKING_SHARE = 0.25
"""The part of the time that reading clouds, clusters and queues may take each: a cloud that answers slowly is not asked all the more."""

CLUSTER_SECONDS = 5.0
"""From one reading of what stateful services say of themselves to the next; decisions read them afresh."""

PING_SECONDS = 1.0
"""Prefect's health is asked beforehand, so that no healing waits for a server that is down."""

ADOPT_SECONDS = 0.5
"""Cases that nobody treats any more are looked for this often: one small query."""

CERTIFICATE_SECONDS = 30.0
"""They last for months; a loop that is seldomer could not be told from one that hangs."""

REMIND_SECONDS = 15.0
"""Alerts that fire on after their case ended are looked at this often."""

MOVES_AT_ONCE = 16
"""First moves at once: each is one API call, and one load balancer takes them one by one anyway."""

CONNECTIONS_MAX = 1_000
"""Open connections; more are answered 503, which Alertmanager tries again. Each may bring a body of a mebibyte."""

HEADER_BYTES_MAX = 16_384
"""A request's line and headers."""

NICENESS = -5
"""On a machine whose processors are all busy the healer goes first; without the right to it, it stays where it is."""

_log = log.get("healer")


class Healer:
    """
    The parts of the healer, composed.
    """

    def __init__(self, workshop: Workshop, metrics: Metrics) -> None:
        self.workshop = workshop
        self.view = View(workshop)
        self.registry = CollectorRegistry()
        self.transactions = Transactions(workshop, self.view, self.registry)
        self.moves = FirstMoves(
            workshop, self.view, workshop.crew.hands(MOVES_AT_ONCE, "move")
        )
        self.recorder = Recorder(workshop)
        self.senses = Senses(
            workshop,
            healer_senses.of_healer(workshop, prefect=self.recorder.wanted),
            healer_senses.directly(workshop.settings, self._beside),
        )
        self.ward = Ward.over(
            workshop,
            metrics,
            self.view.inventory,
            self.moves.of,
            self.view.has_served,
            self.senses.away,
            self.transactions.recent,
        )
        sweep = Sweep(workshop, self.view)
        self.admissions = Admissions(
            workshop, self.view, sweep.suspects, sweep.is_well, sweep.sick
        )
        self.beds = Beds(workshop, self._treat)
        self.loops = Loops(workshop.crew)
        self.counts = Counts(self.registry)
        self.moves.on_refusal = self.counts.refused
        self.watchdog = Watchdog(workshop.clock)
        self.registry.register(
            Gauges(self.view, workshop.store, workshop.clock, self.watchdog)
        )
        self.vitals = Vitals(workshop.store, self.view, self.loops, workshop.clock)
        self.registry.register(self.vitals)
        self.registry.register(RestraintGauges(workshop.store, workshop.clock))
        self.registry.register(SenseGauges(self.senses))
        self.clusters = ClusterGauges(workshop, self.view)
        self.registry.register(self.clusters)
        self.certificates = CertificateGauges(workshop, self.view)
        self.registry.register(self.certificates)
        self.recoverability = Recoverability(workshop, self.view)
        self.registry.register(self.recoverability)
        ProcessCollector(registry=self.registry)
        self._pruned_at: datetime | None = None
        self._moved = Counter(
            "fournines_alerts_considered",
            "New alerts that a first move was considered for.",
            registry=self.registry,
        )
        given = workshop.settings.webhook_token
        self._tokens = Tokens(
            workshop.settings.webhook_token_file,
            given.get_secret_value() if given else None,
        )
        self._mail = workshop.crew.event()
        self._stale = workshop.crew.event()
        self.door = Door(
            inbox=workshop.store.inbox,
            tokens=self._tokens.accepted,
            clock=workshop.clock,
            on_new=self._hear,
            on_watchdog=self.watchdog.hear,
            registry=self.registry,
        )

    # -- life

    def start(self) -> None:
        """
        Adopt open cases and begin every loop.
        """
        run_log.attach()
        run = self.loops.run
        run("prefect", self._mirror, seconds=PING_SECONDS)
        run(
            "watch",
            self._watch,
            seconds=WATCH_SECONDS,
            share=ASKING_SHARE,
            wake=self._stale,
        )
        run("inbox", self._sort, seconds=1.0, wake=self._mail)
        if self.workshop.transactions:
            run(
                "transactions",
                self.transactions.round,
                seconds=transactions.ROUND_SECONDS,
            )
        if self.workshop.operators:
            ask = partial(run, share=ASKING_SHARE)
            ask("clusters", self.clusters.read, seconds=CLUSTER_SECONDS)
            ask("backups", self.recoverability.read, seconds=CLUSTER_SECONDS)
            ask("batch", self._tend, seconds=tending.TEND_SECONDS)
        run("remind", self._remind, seconds=REMIND_SECONDS)
        run("certificates", self.certificates.read, seconds=CERTIFICATE_SECONDS)
        for sense in self.senses.senses:
            look = partial(self._feel, sense)
            run(f"sense-{sense.name}", look, seconds=sense.seconds)
        every = self.workshop.settings.reconcile_seconds
        run("reconcile", self._reconcile, seconds=float(every))
        self.recorder.ping()
        adopted = self.beds.adopt()
        run("adopt", self.beds.adopt, seconds=ADOPT_SECONDS)
        _log.info("healer_began", adopted=adopted, prefect_up=self.recorder.is_up)

    def _tend(self) -> None:
        """
        Batch services get the workers that their queues need, unless an online service needs the room.
        """
        tending.tend_all(self.workshop, yields=yielding.lacking_room)

    def stop(self) -> None:
        """
        Begin nothing more.
        """
        self.loops.end()
        self.beds.close()

    def application(self) -> Starlette:
        """
        The healer's pages.
        """

        @asynccontextmanager
        async def life(_app: Starlette) -> AsyncIterator[None]:
            async with self.door.committing():
                yield

        pages = Pages(
            self.view,
            self.loops,
            self.recorder,
            self.registry,
            pause_seconds_max=self.workshop.settings.reconcile_seconds,
        )
        return Starlette(
            lifespan=life,
            routes=[
                self.door.route,
                *pages.routes,
            ],
        )

    # -- alerts

    def _hear(self, records: tuple[AlertRecord, ...]) -> None:
        """
        New alerts are committed: move first, then sort them into cases.
        """
        self._moved.inc(len(records))
        self.moves.consider_all(records)
        self._mail.set()

    def _sort(self) -> None:
        self._admit(self.admissions.sort())

    def _remind(self) -> None:
        self._admit(self.admissions.remind())

    def _admit(self, opened: tuple[Case, ...]) -> None:
        for case in opened:
            self.beds.admit(case.id)

    def _treat(self, case_id: str) -> Case:
        # A case that waited for a person goes on in the run that was paused for it.
        paused = consenting.is_answered(self.workshop, case_id)
        waits = bool(self.senses.away()) and outage.waits(self.workshop, case_id)
        # Prefect may answer while its database takes nothing: a run that cannot be written down is not begun.
        recording = self.recorder.is_up and not self.senses.out().get(
            healer_senses.PREFECT_DATABASE
        )
        shown = recording and not paused and not waits
        begin = treat_in_flow if shown else treat
        closed = begin(self.ward, case_id)
        if not closed.state.ended:
            return closed
        if paused:
            closed = closed.model_copy(update={"flow_run_id": None})
            self.workshop.store.cases.put(closed)
        self.counts.closed(closed)
        self._stale.set()
        return closed

    # -- loops

    def _watch(self) -> None:
        self.view.refresh()
        self.counts.expect(self.view.platforms)
        self._admit(self.admissions.notice(self.view.sightings()))

    def _feel(self, sense: Sense) -> None:
        was_out = self.senses.out().get(sense.name)
        self.senses.look(sense)
        if was_out and sense.is_cloud and not self.senses.away():
            self.beds.hurry()

    def _beside(self, act: Callable[[], object]) -> None:
        self.workshop.crew.beside("page", act)

    def _reconcile(self) -> None:
        now = self.workshop.clock.now()
        if self._pruned_at is None or now - self._pruned_at > retention.EVERY:
            self._pruned_at = now
            retention.prune(self.workshop)
        if not self.beds.occupied:
            for case in drift.reconcile(self.workshop)[1]:
                self.counts.closed(case)

    def _mirror(self) -> None:
        if not self.recorder.ping():
            return
        self.recorder.hear_answers()
        self.recorder.show_restraints()
        if not self.beds.occupied:
            self.recorder.mirror()

    def has_token(self) -> bool:
        """
        Whether the door has a token to compare with.
        """
        return bool(self._tokens.accepted())


class TokenMissing(Exception):
    """
    The door has no token to compare with.
    """

    exit_code = 2


def main() -> None:
    """
    Run the healer until it is told to stop. This is what `fournines healer` does.

    Raises:
        CloudError: clouds.yaml has no such entry.
        StoreError: The store cannot be opened.
        TokenMissing: There is no token for the door.
    """
    log.configure()
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    chosen = settings()
    with opening.workshop(chosen) as workshop:
        healer = Healer(workshop, Prometheus(chosen.url("prometheus")))
        if not healer.has_token():
            raise TokenMissing(
                f"there is no token in {chosen.webhook_token_file}. "
                "`fournines up` makes it; or set FOURNINES_WEBHOOK_TOKEN"
            )
        healer.start()
        try:
            uvicorn.run(
                healer.application(),
                host=chosen.bind,
                port=chosen.port("healer"),
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=3,
                limit_concurrency=CONNECTIONS_MAX,
                h11_max_incomplete_event_size=HEADER_BYTES_MAX,
            )
        finally:
            healer.stop()
