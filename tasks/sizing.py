"""
Finding a deployed service in the registry, and asking for another size of it.
"""

from __future__ import annotations

from typing import Any

import jsonschema

from blueprints import lifecycles
from blueprints.catalogue import all_blueprints
from blueprints.problem import did_you_mean
from fournines.model.desired import Group, Platform, Service
from fournines.store.protocol import Registry

COUNT = "count"
"""The parameter that blueprints call their size by."""


class ServiceUnknown(Exception):
    """
    What was named is not deployed, or not named clearly enough; the message says what there is.
    """

    exit_code = 2


class SizeRefused(Exception):
    """
    The blueprint does not allow that size.
    """

    exit_code = 2


def find(registry: Registry, service: str | None, platform: str | None) -> Platform:
    """
    The registered platform of that name (or the only one) that has this service.

    Raises:
        ServiceUnknown: There is none, or several.
    """
    known = registry.platforms()
    if not known:
        raise ServiceUnknown("nothing is deployed; begin with: fournines deploy")
    named = [p for p in known if platform in {None, p.name}]
    if not named:
        raise ServiceUnknown(
            f"no platform {platform!r} is deployed"
            f"{did_you_mean(platform or '', [p.name for p in known])}"
        )
    having = [
        p for p in named if service is None or service in {s.name for s in p.services}
    ]
    if not having:
        there = [s.name for p in named for s in p.services]
        raise ServiceUnknown(
            f"no service {service!r} is deployed{did_you_mean(service or '', there)}"
        )
    if len(having) > 1:
        names = ", ".join(p.name for p in having)
        raise ServiceUnknown(f"several platforms fit: {names}; say --platform NAME")
    return having[0]


def check_known(platform: Platform, service: str | None) -> None:
    """
    Refuse a service the platform does not have.

    Raises:
        ServiceUnknown: With what there is.
    """
    there = [s.name for s in platform.services]
    if service is not None and service not in there:
        raise ServiceUnknown(
            f"platform {platform.name} has no service {service!r}"
            f"{did_you_mean(service, there)}"
        )


def resized(
    platform: Platform, service: str, count: int, group: str | None
) -> Platform:
    """
    The same platform with another size of one group.

    Raises:
        ServiceUnknown: The group is not there, or not clear.
        SizeRefused: The blueprint does not allow it.
    """
    found = platform.service(service)
    chosen = _group(found, group)
    rules = lifecycles.of(found, chosen)
    problem = rules.size_problem(count) if rules else None
    if problem is not None and not problem.forcible:
        raise SizeRefused(
            f"{service} of platform {platform.name} is not scaled to {count}: {problem.sentence}"
        )
    parameters = dict(found.parameters)
    if COUNT in parameters:
        parameters[COUNT] = count
        _check(found, parameters)
    groups = tuple(
        g.model_copy(update={"count": count}) if g.name == chosen.name else g
        for g in found.groups
    )
    changed = found.model_copy(update={"groups": groups, "parameters": parameters})
    return platform.model_copy(
        update={
            "services": tuple(
                changed if s.name == service else s for s in platform.services
            )
        }
    )


def _group(service: Service, name: str | None) -> Group:
    if name is None and len(service.groups) == 1:
        return service.groups[0]
    for group in service.groups:
        if group.name == name:
            return group
    there = ", ".join(group.name for group in service.groups)
    raise ServiceUnknown(
        f"service {service.name} has the groups {there}; say --group NAME"
    )


def _check(service: Service, parameters: dict[str, Any]) -> None:
    blueprint = all_blueprints().get(service.blueprint)
    if blueprint is None:
        return
    try:
        jsonschema.validate(parameters, dict(blueprint.parameters))
    except jsonschema.ValidationError as error:
        raise SizeRefused(
            f"blueprint {service.blueprint} does not allow it: {error.message}"
        ) from error
