"""
A restore that is tried: a backup is brought back in an instance that nobody reaches, its rows are compared with those of the living service, and all
of it is destroyed again.

The guest has a network of its own and a guard without a single way in; it fetches the backup and says on its console what it found. Whoever comes
after a worker that died takes the lease and clears what it left.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from blueprints.postgres import drilling, restoring
from blueprints.postgres.drilling import Drill, Marks
from blueprints.postgres.repository import Backup
from fournines import log
from fournines.cloud import permit
from fournines.cloud.errors import CloudError, DeadlinePassed
from fournines.model.desired import Platform, Service
from fournines.model.ownership import Owner
from fournines.model.specification import (
    InstanceSpec,
    NetworkSpec,
    SecurityGroupSpec,
    VolumeSpec,
)
from fournines.planning.plan import Purpose
from fournines.planning.steps import WithdrawKey
from fournines.store.protocol import StepState
from tasks import (
    archiving,
    bake_listening,
    leasing,
    leftovers,
    references,
    repositories,
    unsealing,
    vaults,
)
from tasks import drill_clearing as clearing
from tasks.bake_listening import BakeFailed
from tasks.drill_clearing import PLATFORM, STEP_SECONDS
from tasks.leasing import Holding
from tasks.operators.registered import access_of
from tasks.transactions.postgres import connect
from tasks.workshop import Workshop

RESTORE_SECONDS_MAX = 12 * 3600.0
UNSEAL_SECONDS = 600.0
"""A guest opens its files in its first seconds of cloud-init."""

COMPARE_SECONDS = 60.0
COMPARE_TRIES = 6
COMPARE_PAUSE_SECONDS = 5.0
FOLDER = "drills/"
"""In the service's bucket, beside what pgBackRest writes."""

_log = log.get("drilling")

Tell = Callable[[str], None]

LIVING = (
    "SELECT count(*), min(number), max(number), extract(epoch FROM max(at)),"
    " md5(coalesce(string_agg(number || ' ' || extract(epoch FROM at), ',' ORDER BY number), ''))"
    " FROM marks WHERE number BETWEEN %s AND %s"
)


class DrillFailed(Exception):
    """
    A backup did not come back as it was, or there is none; the message says which and why.
    """

    exit_code = 1


def drill(
    workshop: Workshop,
    platform: Platform,
    name: str,
    *,
    draw: float | None = None,
    tell: Tell = lambda _line: None,
) -> tuple[Drill, ...]:
    """
    Try the newest backup and one of the others; what came of each is kept beside them.

    Raises:
        NotBackedUp: The service has no backups.
        DrillFailed: There is none yet.
        LeaseHeld: One is being tried already.
        CloudError: The object store does not answer, or what was tried could not be cleared.
    """
    service = archiving.wanted(platform, name)
    subject = f"{platform.name}-{name}"
    purpose = f"drill of {subject}"
    with leasing.holding(
        workshop, [clearing.lease_of(subject)], purpose=purpose
    ) as held:
        kept = repositories.read(workshop, platform.name, name)
        chance = secrets.randbelow(1_000) / 1_000 if draw is None else draw
        backups = drilling.chosen(kept, chance)
        if not backups:
            raise DrillFailed(
                f"there is no backup of {name} to try; take one: fournines backup {name}"
            )
        done = []
        with permit.granted(held.check):
            for number, backup in enumerate(backups):
                one = _Drill(workshop, service, held, backup, tell)
                done.append(one.run(to_the_end=number == 0))
                _keep(workshop, service, done[-1])
    return tuple(done)


def kept_drills(
    workshop: Workshop, platform: str, service: str, *, last: int = 10
) -> tuple[Drill, ...]:
    """
    What came of the last ones, the oldest first.

    Raises:
        CloudError: The object store does not answer.
    """
    vault = vaults.opened(workshop, platform, service)
    if not vault.store.has_bucket(vault.bucket):
        return ()
    names = [one.name for one in vault.store.objects(vault.bucket, FOLDER)][-last:]
    return tuple(
        Drill.model_validate_json(vault.store.read(vault.bucket, one)) for one in names
    )


def _keep(workshop: Workshop, service: Service, done: Drill) -> None:
    vault = vaults.opened(workshop, service.platform, service.name)
    name = f"{FOLDER}{done.at:%Y%m%dT%H%M%S}-{done.backup}.json"
    vault.store.write(vault.bucket, name, done.model_dump_json().encode())
    _log.info("drilled", service=service.name, ok=done.ok, said=done.sentence())


class _Drill:
    """
    One backup on its way back.
    """

    def __init__(
        self,
        workshop: Workshop,
        service: Service,
        held: Holding,
        backup: Backup,
        tell: Tell,
    ) -> None:
        self._workshop = workshop
        self._service = service
        self._held = held
        self._backup = backup
        self._tell = tell
        self._subject = f"{service.platform}-{service.name}"
        self._owner = Owner(platform=PLATFORM, service=self._subject)

    def run(self, *, to_the_end: bool) -> Drill:
        """
        From leftovers cleared to everything destroyed, however it ends.
        """
        workshop = self._workshop
        clearing.clear(workshop, self._subject)
        leftovers.close(workshop, Purpose.DRILL, self._subject)
        at, begun = workshop.clock.now(), workshop.clock.monotonic()
        done = Drill(at=at, backup=self._backup.label, to_the_end=to_the_end)
        self._tell(f"bringing {self._backup.label} back")
        with self._journalled(at):
            try:
                found = self._tried(at, to_the_end=to_the_end)
            except (BakeFailed, CloudError, ValueError) as error:
                return done.model_copy(update={"error": str(error)})
            took = workshop.clock.monotonic() - begun
            living = self._living(found)
        lost = None
        if to_the_end and found.last_at is not None:
            lost = round(max((at - found.last_at).total_seconds(), 0.0), 1)
        return done.model_copy(
            update={
                "rto_seconds": round(took, 1),
                "rpo_seconds": lost,
                "marks": found.count,
                "compared": living is not None,
                "error": drilling.judged(found, living),
            }
        )

    def _tried(self, at: datetime, *, to_the_end: bool) -> Marks:
        nonce = secrets.token_hex(8)
        self._step("network", self._ensure_network)
        self._step("volume", self._ensure_volume)
        data = drilling.user_data(
            self._service.platform,
            self._service.name,
            self._backup,
            nonce=nonce,
            to_the_end=to_the_end,
        )
        self._step("boot", lambda: self._boot(data))
        self._step("withdraw-key", self._withdraw_key)
        file = self._workshop.settings.log_dir / "drill"
        listening = bake_listening.Listening(
            self._workshop,
            nonce,
            self._tell,
            file / f"{self._subject}-{at:%Y%m%d-%H%M%S}.log",
        )
        heard = listening.until("passed", self._name("guest"), RESTORE_SECONDS_MAX)
        return drilling.marks_in(heard.texts.get("report", "{}"))

    def _ensure_network(self) -> None:
        network = NetworkSpec(name=self._name("net"), owner=self._owner)
        self._workshop.cloud.ensure_network(network, deadline_seconds=STEP_SECONDS)
        # Without a rule: nobody gets in, and the guest gets out to the object store.
        guard = SecurityGroupSpec(name=self._name("guard"), owner=self._owner)
        self._workshop.cloud.ensure_security_group(guard, deadline_seconds=STEP_SECONDS)

    def _ensure_volume(self) -> None:
        (group,) = self._service.groups
        wanted = group.volume_size_gb or 1
        while restoring.too_small(self._subject, self._backup, wanted) is not None:
            wanted *= 2
        spec = VolumeSpec(name=self._name("volume"), owner=self._owner, size_gb=wanted)
        self._workshop.cloud.ensure_volume(spec, deadline_seconds=STEP_SECONDS)

    def _boot(self, data: str) -> None:
        (group,) = self._service.groups
        # References are those of the service's own platform; the guest is nobody's.
        theirs = Owner(platform=self._service.platform, service=self._service.name)
        spec = InstanceSpec(
            name=self._name("guest"),
            owner=theirs,
            image=group.image,
            flavor=group.flavor,
            network=self._name("net"),
            security_groups=(self._name("guard"),),
            user_data=data,
            volumes=(self._name("volume"),),
        )
        resolved = references.resolved(spec, self._workshop)
        self._workshop.cloud.ensure_instance(
            resolved.model_copy(update={"owner": self._owner}),
            deadline_seconds=STEP_SECONDS,
        )

    def _withdraw_key(self) -> None:
        """
        It holds the service's cipher and keys: out of the API as soon as the guest has opened its files. One that never says so has hours left to
        fail by itself, and is destroyed with it.
        """
        step = WithdrawKey(
            id="withdraw-key",
            instance=self._name("guest"),
            deadline_seconds=UNSEAL_SECONDS,
        )
        try:
            unsealing.withdraw(step, self._workshop)
        except DeadlinePassed as error:
            _log.warning("key_not_withdrawn", instance=step.instance, error=str(error))

    def _living(self, found: Marks) -> Marks | None:
        """
        The same numbers in the living service; None where it cannot be asked.
        """
        if not found.count:
            return None
        service = self._service
        access = access_of(self._workshop)(service)
        for _ in range(COMPARE_TRIES):
            try:
                host = self._workshop.cloud.entrances(service.load_balancers[0].name)
                port = int(str(service.parameters["port"]))
                with connect(access, host[-1], port, COMPARE_SECONDS) as session:
                    row = session.execute(LIVING, (found.first, found.last)).fetchone()
            except (CloudError, psycopg.Error) as error:
                # It may be changing its primary just now.
                _log.warning("not_compared", service=service.name, error=str(error))
                self._workshop.clock.sleep(COMPARE_PAUSE_SECONDS)
                continue
            keys = ("marks", "first", "last", "last_at", "digest")
            said = dict(zip(keys, row, strict=True))
            return drilling.marks_in(json.dumps(said, default=float))
        return None

    def _name(self, noun: str) -> str:
        return clearing.name(self._subject, noun)

    def _step(self, kind: str, work: Callable[[], object]) -> None:
        """
        Journal the intent, do it, journal the end.
        """
        journal, clock = self._workshop.store.journal, self._workshop.clock
        journal.intend(
            self._plan, kind, kind, at=clock.now(), rights=self._held.rights()
        )
        try:
            work()
        except Exception as error:
            journal.finish(
                self._plan, kind, StepState.FAILED, at=clock.now(), error=str(error)
            )
            raise
        journal.finish(self._plan, kind, StepState.DONE, at=clock.now())

    @contextmanager
    def _journalled(self, at: datetime) -> Iterator[None]:
        """
        However it ends, what it made is cleared before its journal is closed; where even that fails, it stays open for the timer.
        """
        journal, clock = self._workshop.store.journal, self._workshop.clock
        self._plan = leftovers.open_journal(
            self._workshop,
            Purpose.DRILL,
            PLATFORM,
            self._subject,
            held=self._held,
            at=at,
        )
        try:
            yield
        finally:
            clearing.clear(self._workshop, self._subject)
            journal.close_plan(
                self._plan, outcome=f"{self._backup.label} was tried", at=clock.now()
            )
