"""
A database as it was: a backup, the service it was a moment ago beside the living one, which goes on, and a drill.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from fournines.demo.whole_report import RECOVERED, ServiceRow
from fournines.demo.words import WRITE_SECONDS_MAX, DatabaseWords
from fournines.demo.writer import Writer
from fournines.model.desired import Service
from tasks import archiving, deployment, drilling, restoring
from tasks.operators.registered import access_of
from tasks.restoring import Wish
from tasks.workshop import Workshop

SUFFIX = "-then"

Tell = Callable[[str], None]


def come_back(
    workshop: Workshop, platform: str, service: Service, writer: Writer, tell: Tell
) -> ServiceRow:
    """
    Take a full backup, let users go on, restore the moment in between into a service of its own, look, and take that away again.

    Raises:
        BackupFailed: It ended badly.
        RestoreRefused: It cannot be done.
        CloudError: The cloud or the object store does not answer.
    """
    registry = workshop.store.registry
    known = registry.platform(platform)
    assert known is not None
    backup = archiving.backup(workshop, known, service.name, "full", tell=tell)
    tell(f"{backup.label} is kept: {backup.stored_bytes / 1e6:.1f} MB")
    time.sleep(WRITE_SECONDS_MAX)
    moment = time.time()
    time.sleep(2 * WRITE_SECONDS_MAX)
    new = f"{service.name}{SUFFIX}"
    wish = Wish(service.name, new, datetime.fromtimestamp(moment, UTC), over=True)
    tell(f"{new}: {service.name} as it was at {wish.to:%H:%M:%S} UTC")
    restored = restoring.restore(workshop, known, wish, tell=tell)
    verdict, before, wrong = restored.result.sentence(), 0, 0
    if restored.result.ok:
        before, wrong = _compared(workshop, platform, new, writer, moment)
        verdict = RECOVERED if not wrong else f"{wrong} words differ"
    deployment.destroy(workshop, platform, service=new)
    return ServiceRow(
        kind=service.blueprint,
        service=service.name,
        fault="restore",
        subject=backup.label,
        recovered_seconds=restored.seconds if restored.result.ok else None,
        acknowledged=before,
        lost=wrong,
        verdict=verdict,
    )


def _compared(
    workshop: Workshop, platform: str, name: str, writer: Writer, moment: float
) -> tuple[int, int]:
    """
    How many words had been acknowledged by the moment, and how many of them are missing or of later ones are there.
    """
    known = workshop.store.registry.platform(platform)
    assert known is not None
    service = known.service(name)
    address = workshop.cloud.entrances(service.load_balancers[0].name)[0]
    words = DatabaseWords(access_of(workshop)(service), service, address)
    told = list(writer.acknowledged)
    before = {word for at, word in told if at <= moment}
    # One that was acknowledged a little later may have been written before.
    after = {word for at, word in told if at > moment + WRITE_SECONDS_MAX}
    found = words.found(before | after)
    return len(before), len(before - found) + len(after & found)


def drill(
    workshop: Workshop, platform: str, service: Service, tell: Tell
) -> tuple[ServiceRow, ...]:
    """
    Try what is kept, where nobody reaches it: a row per backup.

    Raises:
        DrillFailed: There is none.
        CloudError: The object store does not answer, or what was tried could not be cleared.
    """
    known = workshop.store.registry.platform(platform)
    assert known is not None
    done = drilling.drill(workshop, known, service.name, tell=tell)
    for one in done:
        tell(one.sentence())
    return tuple(
        ServiceRow(
            kind=service.blueprint,
            service=service.name,
            fault="drill",
            subject=one.backup,
            recovered_seconds=round(one.rto_seconds, 1) if one.ok else None,
            acknowledged=one.marks,
            lost=0,
            verdict=RECOVERED if one.ok else one.sentence(),
        )
        for one in done
    )
