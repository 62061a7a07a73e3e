"""
Objects and settings of stateful services: brought to what their parameters ask for, once their members are.
"""

from __future__ import annotations

from fournines import log
from fournines.model.desired import Platform
from tasks import membership
from tasks.result import Result
from tasks.workshop import Workshop

_log = log.get("applying")


def applied(
    workshop: Workshop, desired: Platform, only: str | None, done: Result
) -> Result:
    """
    The same result; of a deploy that ended well, after what its services are to have in them was made. Raises as `apply` does.
    """
    if done.outcome is None or done.outcome.ok:
        apply(workshop, desired, only)
    return done


def apply(
    workshop: Workshop, desired: Platform, only: str | None = None
) -> tuple[str, ...]:
    """
    What was changed, one clause each. Idempotent: what is as asked for is left alone.

    Raises:
        CloudError: A service cannot be asked, or said no; the message says which and why.
    """
    changed: list[str] = []
    for service in desired.services:
        if only not in {None, service.name}:
            continue
        for group in service.groups:
            found = membership.ward(workshop, service, group)
            if found is None:
                continue
            inventory = workshop.cloud.inventory(desired.name, service.name)
            said = found.operator.apply(found.cluster(inventory))
            for clause in said:
                _log.info("applied", service=service.name, change=clause)
            changed += (f"{service.name}: {clause}" for clause in said)
    return tuple(changed)
