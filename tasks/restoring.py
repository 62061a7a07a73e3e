"""
A service's data in another service: as it is now (a clone), or as it was at a moment.

The new service is one like any other: compiled from the same blueprint with the parameters of the one it is taken from, written into the registry,
deployed, healed. Its parameter `restore` says where its data came from, and counts once, when there is no data yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from blueprints import platform_file
from blueprints.catalogue import all_blueprints
from blueprints.compiling import compile_platform
from blueprints.lifecycle import QUORUM_MIN
from blueprints.postgres import restoring
from blueprints.postgres.backups import Restore, policy_of
from blueprints.postgres.repository import Backup, Repository
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model import names
from fournines.model.desired import Platform, Service
from fournines.model.refusal import Refusal
from tasks import archiving, deployment, repositories
from tasks.audience import NOBODY, Audience
from tasks.result import Result
from tasks.workshop import Workshop

VOLUME = "volume_size_gb"
_MARK_AT = "%Y%m%dT%H%M%S"

_log = log.get("restoring")


class RestoreRefused(Exception):
    """
    Nothing was touched; the message says why and what to do.
    """

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What somebody wants restored.

    Attributes:
        service: Whose data.
        new: The service that is to have it.
        to: The moment; None: as late as can be.
        backup: The backup to begin with; None: the newest that ended before the moment.
        volume_gb: Of the new service's members; None: as large as those of the one it is taken from.
        over: A service of the new name may be destroyed first.
    """

    service: str
    new: str
    to: datetime | None = None
    backup: str | None = None
    volume_gb: int | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """
    What came of it.

    Attributes:
        entry: What the platform file needs, so that its next deploy keeps the new service.
        seconds: From the wish to a service that serves.
    """

    result: Result
    backup: Backup
    entry: dict[str, Any]
    seconds: float


def restore(
    workshop: Workshop,
    platform: Platform,
    wish: Wish,
    *,
    audience: Audience = NOBODY,
    tell: Callable[[str], None] = lambda _line: None,
) -> Restored:
    """
    Have a service with the data of another.

    Raises:
        RestoreRefused: It cannot be done; nothing was touched.
        NotBackedUp: The service has no backups.
        LeaseHeld: Somebody else is at it.
        CloudError: The cloud or the object store does not answer.
    """
    clock = workshop.clock
    begun = clock.monotonic()
    source = archiving.wanted(platform, wish.service)
    _check_name(platform, wish)
    kept = repositories.read(workshop, platform.name, wish.service)
    policy = policy_of(source.blueprint, source.parameters)
    backup = _accepted(
        restoring.chosen(
            wish.service,
            kept,
            to=wish.to,
            label=wish.backup,
            fulls_kept=policy.fulls_kept if policy else None,
        )
    )
    parameters = parameters_of(source, wish, backup)
    too_small = restoring.too_small(wish.new, backup, int(parameters[VOLUME]))
    if too_small is not None:
        raise RestoreRefused(too_small.detail)
    _send_log(workshop, platform, wish, kept)
    tell(f"{wish.new} begins with backup {backup.label} of {wish.service}")
    service, entry = compiled(platform, source, wish.new, parameters)
    if any(one.name == wish.new for one in platform.services):
        # Said beforehand (over): the old one goes, its backups stay.
        gone = deployment.destroy(
            workshop, platform.name, service=wish.new, audience=audience
        )
        if not gone.ok:
            raise RestoreRefused(
                f"{wish.new} could not be destroyed: {gone.sentence()}"
            )
    others = tuple(one for one in platform.services if one.name != wish.new)
    desired = platform.model_copy(update={"services": (*others, service)})
    result = deployment.deploy(
        workshop,
        desired,
        only=wish.new,
        audience=audience,
        # Who runs the old one without redundancy has said so before.
        insist=source.groups[0].count < QUORUM_MIN,
    )
    seconds = clock.monotonic() - begun
    _log.info("restored", service=wish.new, backup=backup.label, ok=result.ok)
    return Restored(result, backup, entry, round(seconds, 1))


def compiled(
    platform: Platform, source: Service, new: str, parameters: dict[str, Any]
) -> tuple[Service, dict[str, Any]]:
    """
    A service like another, and what would stand of it in a platform file.

    Raises:
        BlueprintError: The parameters break a rule.
    """
    entry = {"blueprint": source.blueprint, "parameters": parameters}
    document = {
        "platform": platform.name,
        "network": {"external_network": platform.network.external_network},
        "services": {new: entry},
    }
    file = platform_file.from_text(json.dumps(document), f"restore of {source.name}")
    (made,) = compile_platform(file, all_blueprints()).services
    kept = {"objectives": source.objectives, "maintenance": source.maintenance}
    return made.model_copy(update=kept), entry


def _check_name(platform: Platform, wish: Wish) -> None:
    if not names.is_name(wish.new):
        raise RestoreRefused(
            f"{wish.new!r} is no name of a service: lower-case letters, digits and -, at most 20"
        )
    if any(one.name == wish.new for one in platform.services) and not wish.over:
        raise RestoreRefused(
            f"service {wish.new} lives and has data of its own; name another with --as, "
            "or say --over to have it destroyed first"
        )


def _accepted(found: Backup | Refusal) -> Backup:
    if isinstance(found, Refusal):
        raise RestoreRefused(found.detail)
    return found


def parameters_of(source: Service, wish: Wish, backup: Backup) -> dict[str, Any]:
    """
    Those of the source, with where the data is from.
    """
    (group,) = source.groups
    to = None if wish.to is None else wish.to.astimezone(UTC)
    begin = Restore(
        service=source.name,
        backup=backup.label,
        to=to.isoformat(sep=" ") if to else None,
    )
    return {
        **source.parameters,
        # The platform's defaults are not kept; what came of them is.
        "flavor": group.flavor,
        "zones": list(group.zones) or None,
        VOLUME: wish.volume_gb or group.volume_size_gb,
        "restore": begin.model_dump(mode="json", exclude_none=True),
    }


def _send_log(
    workshop: Workshop, platform: Platform, wish: Wish, kept: Repository
) -> None:
    """
    Have the source's log kept up to now; where it lives no more, what is kept must do.
    """
    at = workshop.clock.now()
    try:
        archiving.mark(
            workshop, platform, wish.service, f"restore-{at.strftime(_MARK_AT)}"
        )
    except CloudError as error:
        _log.warning("log_not_sent", service=wish.service, error=str(error))
        refusal = restoring.beyond_log(wish.service, kept, wish.to) if wish.to else None
        if refusal is not None:
            raise RestoreRefused(refusal.detail) from error
