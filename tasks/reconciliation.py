"""
Bringing registered platforms back to what was asked for: what the timer does, along the path every deploy takes.

A service with an open healing case is left to the healer, and one that somebody else works on (a deploy, a pause, a maintenance window) is
left to them, and so is one that they ask something else of at the last moment: the timer comes again.
"""

from __future__ import annotations

from collections.abc import Callable

from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model import maintenance
from fournines.model.desired import Platform
from fournines.model.value import Value
from fournines.planning.plan import Plan, Purpose
from fournines.store.protocol import LeaseHeld
from tasks import bake_clearing, deployment, drill_clearing
from tasks.audience import NOBODY, Audience
from tasks.result import Result
from tasks.workshop import Workshop

_log = log.get("reconciliation")


class Reconciled(Value):
    """
    What became of one platform, or of one service of it.

    Attributes:
        skipped: In whose hands it is; empty when something was tried.
        failed: Why it could not be tried.
    """

    platform: str
    service: str | None = None
    result: Result | None = None
    skipped: str = ""
    failed: str = ""

    @property
    def ok(self) -> bool:
        """
        Nothing was left to do, or it was done, or it is in somebody's hands.
        """
        outcome = self.result.outcome if self.result else None
        return not self.failed and (outcome is None or outcome.ok)

    def sentence(self) -> str:
        """
        For people.
        """
        subject = f"{self.platform}/{self.service}" if self.service else self.platform
        done = self.result.sentence() if self.result else ""
        said = self.failed or self.skipped or done
        return f"{subject}: {said}"


def reconcile(
    workshop: Workshop, *, platform: str | None = None, audience: Audience = NOBODY
) -> tuple[Reconciled, ...]:
    """
    Reconcile one platform, or all that are registered. What goes wrong with one does not keep the others.
    """
    _clear_bakes(workshop)
    found: list[Reconciled] = _finish_destroying(workshop, platform, audience)
    for desired in workshop.store.registry.platforms():
        if platform is None or desired.name == platform:
            found += _platform(workshop, desired, audience)
    for one in found:
        _log.info("reconciled", platform=one.platform, said=one.sentence())
    return tuple(found)


def _clear_bakes(workshop: Workshop) -> None:
    """
    A bake whose worker died left a builder that nobody needs.
    """
    try:
        bake_clearing.sweep(workshop)
        drill_clearing.sweep(workshop)
    except CloudError as error:
        _log.warning("bakes_not_cleared", error=str(error))


def _finish_destroying(
    workshop: Workshop, platform: str | None, audience: Audience
) -> list[Reconciled]:
    """
    What was being destroyed is wanted no more, so nothing in the registry leads to it: the journal does.
    """
    found = []
    for left in workshop.store.journal.unfinished():
        if left.purpose is Purpose.DESTROY and platform in {None, left.platform}:

            def act(left: Plan = left) -> Result:
                return deployment.destroy(
                    workshop,
                    left.platform,
                    service=left.service,
                    audience=audience,
                    finishing=left,
                )

            found.append(_guarded(left.platform, left.service, act))
    return found


def _platform(
    workshop: Workshop, desired: Platform, audience: Audience
) -> list[Reconciled]:
    healed = {
        case.subject.service
        for case in workshop.store.cases.cases(open_only=True, limit=1_000)
        if case.subject.platform == desired.name
    }
    left = dict.fromkeys(healed, "a healing case is open")
    left |= _restrained(workshop, desired)
    # A build in quarantine is refused; on its own, so that its neighbours are reconciled.
    if not left and not any(q.held_at for q in workshop.store.quarantines.all()):
        return [_try(workshop, desired, None, audience)]
    found = []
    for service in desired.services:
        if service.name in left:
            found.append(
                Reconciled(
                    platform=desired.name,
                    service=service.name,
                    skipped=left[service.name],
                )
            )
        else:
            found.append(_try(workshop, desired, service.name, audience))
    return found


def _restrained(workshop: Workshop, desired: Platform) -> dict[str, str]:
    """
    Services that people work on, with what they said: a pause of any part of a service, or an open maintenance window.
    """
    now = workshop.clock.now()
    found = {}
    for service in desired.services:
        windows = (*desired.maintenance, *service.maintenance)
        opened = maintenance.open_window(windows, now)
        if opened is not None:
            found[service.name] = f"in maintenance: {opened[0].sentence()}"
        for pause in workshop.store.pauses.all():
            if pause.holds(now) and pause.touches(desired.name, service.name):
                found[service.name] = pause.sentence()
    return found


def _try(
    workshop: Workshop, desired: Platform, only: str | None, audience: Audience
) -> Reconciled:
    def act() -> Result:
        return deployment.deploy(
            workshop,
            desired,
            only=only,
            purpose=Purpose.RECONCILE,
            audience=audience,
            made_from=desired,
        )

    return _guarded(desired.name, only, act)


def _guarded(platform: str, only: str | None, act: Callable[[], Result]) -> Reconciled:
    try:
        return Reconciled(platform=platform, service=only, result=act())
    except LeaseHeld as error:
        return Reconciled(platform=platform, service=only, skipped=str(error))
    except CloudError as error:
        return Reconciled(platform=platform, service=only, failed=str(error))
