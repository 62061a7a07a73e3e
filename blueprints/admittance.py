"""
Whoever logs in to another service with what the platform hands out: nobody is made to hold a login that the other service is not known to let in. Pure.

Instances that hold it already are proof that it was let in, so such a group is filled and healed whatever the other service says now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from blueprints import lifecycles
from blueprints.observed import Observed
from blueprints.slot import Condition, slots
from fournines.model import logins, names, references
from fournines.model.contents import Contents
from fournines.model.desired import Platform, Service
from fournines.model.references import Kind
from fournines.model.refusal import Reason, Refusal
from fournines.planning.steps import ApplyContents, EnsureInstance, Step


def of(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """
    The services that a text logs in to, each with the users.
    """
    found = {name.partition("/")[::2] for name in references.names(text, Kind.LOGIN)}
    pairs = sorted((to, logins.user_of(secret) or secret) for to, secret in found)
    return tuple(
        (to, tuple(user for _, user in each))
        for to, each in groupby(pairs, key=lambda one: one[0])
    )


def services_of(service: Service) -> frozenset[str]:
    """
    The other services that instances of this one log in to.
    """
    text = " ".join(group.user_data for group in service.groups)
    return frozenset(to for to, _ in of(text)) - {service.name}


def refused(
    service: Service,
    platform: Platform,
    observed: Observed,
    made: Collection[Step],
    before: Iterable[Step],
) -> tuple[Refusal, ...]:
    """
    Why instances of a service are not made: another is not known to let them in.

    Args:
        service: Who logs in.
        platform: All that should be.
        observed: What is.
        made: The service's steps.
        before: Steps of the same plan that are done before those.
    """
    applied = {
        (step.service, step.group) for step in before if isinstance(step, ApplyContents)
    }
    text = " ".join(_of_newcomers(service, observed, made))
    known = {one.name: one for one in platform.services}
    return tuple(
        Refusal(reason=Reason.LOGIN, subject=service.name, detail=problem)
        for to, users in of(text)
        if to != service.name and to in known
        for group in holding(known[to], observed)
        if (to, group) not in applied
        and (problem := unknown(to, users, observed.contents.get((to, group))))
    )


def unknown(to: str, users: Collection[str], seen: Contents | None) -> str | None:
    """
    Why it is not known that a service lets these users in with what would be handed out now, and what to do; None: it does.
    """
    said = f"nobody is given a login for {' and '.join(users)} of {to}"
    if seen is None:
        return f"{said}: {to} cannot be asked whether it lets them in; try again when it answers"
    if seen.opposed:
        return f"{said}: {to} makes none, because of {seen.opposed}"
    lacking = [
        change.said
        for change in seen.changes
        if change.login and logins.declared(change.login) in users
    ]
    if lacking:
        return f"{said}: {to} lacks {', '.join(lacking)}; deploy {to} first"
    return None


def holding(service: Service, observed: Observed) -> Iterator[str]:
    """
    The groups of a service that are there and let users in.
    """
    for group in service.groups:
        rules = lifecycles.of(service, group)
        there = observed.instances(service.name, group.name)
        if rules is not None and rules.holds and there:
            yield group.name


def _of_newcomers(
    service: Service, observed: Observed, made: Collection[Step]
) -> Iterator[str]:
    """
    The user-data of groups that get instances and have none yet that holds the same.
    """
    arriving = {
        names.of_service(owner.platform, owner.service or "", owner.group or "")
        for step in made
        if isinstance(step, EnsureInstance) and (owner := step.spec.owner)
    }
    for group in service.groups:
        label = names.of_service(service.platform, service.name, group.name)
        every, _ = slots(service, group, observed)
        is_new = not any(slot.condition is Condition.FILLED for slot in every)
        if label in arriving and is_new:
            yield group.user_data
