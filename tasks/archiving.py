"""
Backups: an order to the member that takes them best, and the wait for its end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from blueprints.postgres import backups, generations
from blueprints.postgres.repository import Backup, Repository
from blueprints.rabbitmq import keeping
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model.cluster import ClusterView, Role
from fournines.model.desired import Platform, Service
from tasks import leasing, membership, repositories
from tasks.operators import Cluster, ClusterRefused, ClusterSilent
from tasks.operators.http import Api, Login
from tasks.operators.registered import access_of
from tasks.workshop import Workshop

ORDERS_PORT = 8009
BACKUP_SECONDS_MAX = 12 * 3600.0
MARK_SECONDS_MAX = 90.0
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 10.0
"""PostgreSQL is asked each time, and takes its time while it works."""

READY_SECONDS_MAX = 90.0
SILENT_SECONDS_MAX = 60.0
"""A member that is replaced meanwhile does not go on with a backup."""

KINDS = ("full", "diff", "incr")

_log = log.get("archiving")

Tell = Callable[[str], None]


class BackupFailed(Exception):
    """
    No backup came of it; the message says why.
    """

    exit_code = 1


class NotBackedUp(Exception):
    """
    The service is of a kind that has no backups, or wants none.
    """

    exit_code = 2


@dataclass(frozen=True, slots=True)
class _Database:
    """
    A deployed service as backups see it.
    """

    workshop: Workshop
    service: Service
    cluster: Cluster
    view: ClusterView

    def api(self) -> Api:
        """
        The way to its archivists.
        """
        access = access_of(self.workshop)(self.service)
        login = Login("fournines", access.secret("backup-orders"))
        return Api(
            ORDERS_PORT, ca=access.ca, login=login, timeout_seconds=ANSWER_SECONDS
        )

    def takers(self) -> list[str]:
        """
        Members that may take a backup, the best first: replicas that have everything, then the primary.
        """
        fit = [m for m in self.view.members if m.running and m.is_voter and m.address]
        order = sorted(fit, key=lambda m: (m.role is Role.PRIMARY, not m.in_sync))
        return [str(member.address) for member in order]


def backup(
    workshop: Workshop,
    platform: Platform,
    name: str,
    kind: str,
    *,
    tell: Tell = lambda _line: None,
) -> Backup:
    """
    Take a backup now, and wait for its end.

    Raises:
        NotBackedUp: The service has no backups.
        BackupFailed: It ended badly, or nobody could take it.
        LeaseHeld: One is being taken already.
        CloudError: The cloud, the service or the object store does not answer.
    """
    service = wanted(platform, name)
    lease = f"backup/{platform.name}/{name}"
    with leasing.holding(workshop, [lease], purpose=f"backup of {name}"):
        # Asked first: where there is no store, or it does not answer, no member is bothered.
        repositories.read(workshop, platform.name, name)
        found = _database(workshop, service)
        order = f"{workshop.clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        _await_repository(found)
        address = _ordered(found, kind, order)
        tell(f"{address} takes a {kind} backup of {name}")
        _wait(found, address, order)
        kept = repositories.read(workshop, platform.name, name)
        made = kept.of_order(order)
        if made is not None:
            _expire(found, address, kept)
    if made is None:
        raise BackupFailed(
            f"{name}: its member said that backup {order} is done, and the store has none of that order"
        )
    _log.info("backed_up", service=name, label=made.label, bytes=made.stored_bytes)
    return made


def mark(workshop: Workshop, platform: Platform, name: str, word: str) -> None:
    """
    Have the log of a service kept up to this moment.

    Raises:
        CloudError: Nobody leads it, it does not answer, or its log cannot be sent.
    """
    found = _database(workshop, wanted(platform, name))
    attempted = f"sending the log of {name}"
    leader = found.view.member(found.view.leader or "")
    if leader is None or leader.address is None:
        raise ClusterSilent(attempted, "nobody leads now")
    found.api().order(
        leader.address,
        "/mark",
        method="POST",
        body={"word": word},
        doing=attempted,
        timeout_seconds=MARK_SECONDS_MAX,
    )


def wanted(platform: Platform, name: str) -> Service:
    """
    The service, if it has backups.

    Raises:
        NotBackedUp: It has none.
    """
    service = platform.service(name)
    if service.blueprint == keeping.BLUEPRINT:
        raise NotBackedUp(
            f"of {name}, a message bus, definitions are kept: fournines backup, backups and restore know them, and no data is there to be cloned or tried"
        )
    if backups.policy_of(service.blueprint, service.parameters) is None:
        why = (
            "its parameters switch backups off"
            if service.blueprint == backups.BLUEPRINT
            else f"blueprint {service.blueprint} knows none; {backups.BLUEPRINT} does"
        )
        raise NotBackedUp(f"{name} has no backups: {why}")
    return service


def _database(workshop: Workshop, service: Service) -> _Database:
    (group,) = service.groups
    ward = membership.ward(workshop, service, group)
    assert ward is not None
    cluster = ward.cluster(workshop.cloud.inventory(service.platform, service.name))
    return _Database(workshop, service, cluster, ward.operator.view(cluster))


def _await_repository(found: _Database) -> None:
    """
    Until the primary has made the repository, some seconds after its first start.
    """
    clock, api = found.workshop.clock, found.api()
    leader = found.view.member(found.view.leader or "")
    if leader is None or leader.address is None:
        raise BackupFailed(f"{found.service.name}: nobody leads now; take it again")
    end = clock.now() + timedelta(seconds=READY_SECONDS_MAX)
    said = ""
    while clock.now() < end:
        try:
            state = api.order(leader.address, "/state").json()
        except CloudError as error:
            said = error.detail
        else:
            if state.get("ready"):
                return
            said = _why(str(state.get("trouble") or "it is not made yet"))
        clock.sleep(LOOK_SECONDS)
    raise BackupFailed(f"{found.service.name} has no repository: {said}")


def _ordered(found: _Database, kind: str, order: str) -> str:
    """
    The address of the member that took the order.
    """
    said: list[str] = []
    api = found.api()
    for address in found.takers():
        try:
            api.order(
                address, "/backup", method="POST", body={"kind": kind, "order": order}
            )
        except (ClusterSilent, ClusterRefused) as error:
            said.append(f"{address}: {error.detail}")
            continue
        return address
    raise BackupFailed(
        f"{found.service.name}: no member takes a backup: {'; '.join(said) or 'none runs'}"
    )


def _expire(found: _Database, address: str, kept: Repository) -> None:
    """
    Give up the full backups that no generation needs any more. What fails is tried again after the next backup: too much is kept, never too little.
    """
    policy = backups.policy_of(found.service.blueprint, found.service.parameters)
    if policy is None or not policy.months_kept:
        return  # pgBackRest counts one generation itself
    gone = generations.superseded(
        kept.backups,
        fulls_kept=policy.fulls_kept,
        months_kept=policy.months_kept,
        now=kept.at,
    )
    for label in gone:
        order = f"expire-{label}"
        body = {"set": label, "order": order}
        try:
            found.api().order(address, "/expire", method="POST", body=body)
            _wait(found, address, order)
        except (BackupFailed, CloudError) as error:
            _log.warning("not_expired", backup=label, error=str(error))
            return
        _log.info("expired", service=found.service.name, backup=label)


def _wait(found: _Database, address: str, order: str) -> None:
    clock, api = found.workshop.clock, found.api()
    name = found.service.name
    end = clock.now() + timedelta(seconds=BACKUP_SECONDS_MAX)
    heard = clock.now()
    while clock.now() < end:
        try:
            state = api.order(address, "/state").json()
        except CloudError as error:
            if clock.now() - heard >= timedelta(seconds=SILENT_SECONDS_MAX):
                raise BackupFailed(
                    f"{name}: {address} took the backup and is silent since: {error.detail}"
                ) from error
            clock.sleep(LOOK_SECONDS)
            continue
        heard = clock.now()
        last, running = state.get("last") or {}, state.get("running") or {}
        if last.get("order") == order:
            if last.get("good"):
                return
            raise BackupFailed(f"{name}: {_why(str(last.get('said')))}")
        if running.get("order") != order:
            raise BackupFailed(
                f"{name}: {address} was started anew meanwhile; take it again"
            )
        clock.sleep(LOOK_SECONDS)
    raise BackupFailed(f"{name}: no end after {BACKUP_SECONDS_MAX / 3600:.0f} hours")


def _why(said: str) -> str:
    """
    What pgBackRest complained of, without its diary.
    """
    errors = [line for line in said.splitlines() if "ERROR" in line or "HINT" in line]
    return " ".join(" ".join(errors or said.splitlines()[-3:]).split())[:500]
