"""
Rotation by timer and by button: certificates before they end, credentials when somebody asks.
"""

from __future__ import annotations

from prefect import flow

from flows import stage
from tasks import artifacts, rotation
from tasks.audience import Audience
from tasks.rotation import Rotated
from tasks.step_runs import perform_as_task_run


class RotationFailed(Exception):
    """
    Something is not rotated to its end; the next run, or the reconcile, goes on with it.
    """


@flow(name="rotate-certificates", persist_result=False)
def rotate_certificates() -> list[str]:
    """
    Renew the certificates, and the authorities, that have a third of their time left, service by service, without downtime.
    """
    with stage.workshop() as workshop:
        authorities = rotation.renew_authorities(workshop, audience=_audience())
        slots = rotation.renew_certificates(workshop, audience=_audience())
        return _said((*authorities, *slots))


@flow(name="rotate-credentials", persist_result=False)
def rotate_credentials(
    service: str,
    platform: str = "",
) -> list[str]:
    """
    New credentials for a service and all that use it; afterwards `fournines credentials` hands them out once.

    Args:
        service: The service that offers them.
        platform: Its platform; empty: the only one.
    """
    with stage.workshop() as workshop:
        found = rotation.rotate_credentials(
            workshop, service, platform=platform or None, audience=_audience()
        )
        return _said(found)


def _audience() -> Audience:
    return Audience(show=artifacts.show_plan, performer=perform_as_task_run)


def _said(found: tuple[Rotated, ...]) -> list[str]:
    for one in found:
        if not one.result.plan.empty:
            artifacts.show_result(one.result)
    failed = [one.sentence() for one in found if not one.result.ok]
    if failed:
        raise RotationFailed("; ".join(failed))
    return [one.sentence() for one in found] or ["nothing was due"]
