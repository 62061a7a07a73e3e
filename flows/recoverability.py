"""
Whether databases could be brought back, in numbers: how old backups, log and drills are, and what the last drill measured.

Read from the buckets themselves, one service at a time, so that a slow store holds up nothing; what could not be read leaves nothing but
`fournines_backups_known` 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts import conventions as c
from blueprints.postgres import backups, drilling
from blueprints.postgres.backups import Policy
from blueprints.postgres.drilling import Drill
from blueprints.postgres.repository import Repository
from flows.healer_view import View
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model.value import Value
from tasks import drilling as drills
from tasks import repositories
from tasks.workshop import Workshop

READ_SECONDS = 60.0
"""A service is read no more often: its backups are hours apart, its log seconds."""

Key = tuple[str, str]

_log = log.get("recoverability")


class Recovery(Value):
    """
    What is known of one service. `repository` None: it could not be read.
    """

    at: datetime
    policy: Policy
    repository: Repository | None = None
    drills: tuple[Drill, ...] = ()


def measures(known: Recovery, now: datetime) -> dict[str, float]:
    """
    Its numbers, by metric. Pure.
    """
    found = {c.BACKUPS_KNOWN: float(known.repository is not None)}
    if known.repository is None:
        return found
    policy, kept = known.policy, known.repository
    found[c.BACKUP_AGE_MAX] = backups.age_seconds_max(policy)
    found[c.BACKUP_LOG_AGE_MAX] = backups.log_age_seconds_max(policy)
    found[c.DRILL_AGE_MAX] = backups.drill_age_seconds_max(policy)
    if kept.newest is not None:
        found[c.BACKUP_AGE] = _since(kept.newest.ended_at, now)
    if kept.log_at is not None:
        found[c.BACKUP_LOG_AGE] = _since(kept.log_at, now)
    last = drilling.newest(known.drills)
    if last:
        found[c.RECOVERABILITY] = float(all(one.ok for one in last))
    good = [one for one in known.drills if one.ok]
    if good:
        found[c.DRILL_AGE] = _since(good[-1].at, now)
        found[c.DRILL_RTO] = max(one.rto_seconds for one in drilling.newest(good))
        lost = [one.rpo_seconds for one in good if one.rpo_seconds is not None]
        if lost:
            found[c.DRILL_RPO] = lost[-1]
    return found


class Recoverability(Collector):
    """
    Gauges of what was read last.
    """

    def __init__(self, workshop: Workshop, view: View) -> None:
        self._workshop = workshop
        self._view = view
        self._known: dict[Key, Recovery] = {}

    def read(self) -> None:
        """
        Read the service that was read longest ago, if that is long enough.
        """
        wanted = {
            (platform.name, service.name): policy
            for platform in self._view.platforms
            for service in platform.services
            if (policy := backups.policy_of(service.blueprint, service.parameters))
        }
        known = {key: one for key, one in self._known.items() if key in wanted}
        now = self._workshop.clock.now()
        never = now - timedelta(days=1)
        due = sorted(wanted, key=lambda key: known[key].at if key in known else never)
        if due and (
            due[0] not in known or _since(known[due[0]].at, now) >= READ_SECONDS
        ):
            known[due[0]] = self._of(due[0], wanted[due[0]], now)
        self._known = known

    def _of(self, key: Key, policy: Policy, now: datetime) -> Recovery:
        try:
            return Recovery(
                at=now,
                policy=policy,
                repository=repositories.read(self._workshop, *key),
                drills=drills.kept_drills(self._workshop, *key),
            )
        except CloudError as error:
            _log.warning("backups_not_read", service=key[1], error=str(error))
            return Recovery(at=now, policy=policy)

    def describe(self) -> list[Metric]:
        """
        Nothing beforehand: descriptions come with the samples.
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """
        All samples, of ages as of now.
        """
        now = self._workshop.clock.now()
        found = {key: measures(one, now) for key, one in self._known.items()}
        for name, text in _TEXTS.items():
            family = GaugeMetricFamily(name, text, labels=list(c.SERVICE_LABELS))
            for key, numbers in found.items():
                if name in numbers:
                    family.add_metric(list(key), numbers[name])
            yield family


_TEXTS = {
    c.BACKUPS_KNOWN: "1 when what is kept of a service could be read.",
    c.RECOVERABILITY: "1 when the last drill brought every backup back as it was.",
    c.BACKUP_AGE: "Seconds since the newest backup ended.",
    c.BACKUP_AGE_MAX: "From here on one was missed.",
    c.BACKUP_LOG_AGE: "Seconds since a segment of the log was last sent.",
    c.BACKUP_LOG_AGE_MAX: "From here on it is not sent any more.",
    c.DRILL_AGE: "Seconds since a restore was last tried and came back whole.",
    c.DRILL_AGE_MAX: "From here on one was missed.",
    c.DRILL_RPO: "Seconds of writes that the last drill would have lost.",
    c.DRILL_RTO: "Seconds that the last drill took until the data was checked.",
}


def _since(at: datetime, now: datetime) -> float:
    return max((now - at).total_seconds(), 0.0)
