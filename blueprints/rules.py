"""
Rules that reach over several keys: references inside a blueprint, names that must differ, dependencies without a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from blueprints.definition import Definition, EndpointDefinition
from blueprints.problem import Problem, did_you_mean
from blueprints.source import Source
from blueprints.validation import Locate
from fournines.model import names
from fournines.model.desired import Service
from fournines.model.objective import TIMED

HOST_NAME_LENGTH_MAX = 63
_GENERATIONS = 9_999

_RESERVED = ("lb", "ip", "metrics")
"""Nouns that name a service's own resources: no group or endpoint may be called so."""


def definition_problems(
    definition: Definition,
    platform: str,
    service: str,
    here: Locate,
    in_blueprint: Locate,
) -> list[Problem]:
    """
    What is wrong with one service's definition. `here` places a problem in the platform file.
    """
    return [
        *_references(definition, in_blueprint),
        *_ports(definition, in_blueprint),
        *_nouns(definition, in_blueprint),
        *_limits(definition, here),
        *_lengths(definition, platform, service, here),
    ]


def _references(definition: Definition, locate: Locate) -> Iterator[Problem]:
    first: dict[tuple[str, str | None], EndpointDefinition] = {}
    roles = {one.group: one.role for one in definition.endpoints.values()}
    for name, endpoint in definition.endpoints.items():
        if endpoint.group not in definition.groups:
            hint = did_you_mean(endpoint.group, definition.groups)
            yield locate(
                ["endpoints", name, "group"], f"no group {endpoint.group!r}{hint}"
            )
        other = first.setdefault((endpoint.group, endpoint.role), endpoint)
        if pool_of(other) != pool_of(endpoint):
            yield locate(
                ["endpoints", name],
                f"leads to group {endpoint.group!r} as another endpoint does, but by "
                "another protocol, port, algorithm or health check; a group has one pool"
                " for each role",
            )
        if (endpoint.role is None) != (roles[endpoint.group] is None):
            yield locate(
                ["endpoints", name, "role"],
                f"either all endpoints that lead to group {endpoint.group!r} have a "
                "role or none has",
            )


def pool_of(endpoint: EndpointDefinition) -> tuple[object, ...]:
    """
    What two endpoints to one group must agree on.
    """
    return (
        endpoint.member_port,
        endpoint.protocol,
        endpoint.algorithm,
        endpoint.session_persistence,
        endpoint.health,
        endpoint.monitor_port,
    )


def _ports(definition: Definition, locate: Locate) -> Iterator[Problem]:
    taken: dict[int, str] = {}
    if definition.endpoints and definition.metrics.enabled:
        taken[definition.metrics.port] = "the metrics listener"
    for name, endpoint in definition.endpoints.items():
        if endpoint.port in taken:
            yield locate(
                ["endpoints", name, "port"],
                f"port {endpoint.port} is already that of {taken[endpoint.port]}",
            )
        taken[endpoint.port] = f"endpoint {name}"


def _nouns(definition: Definition, locate: Locate) -> Iterator[Problem]:
    for kind, found in (
        ("groups", definition.groups),
        ("endpoints", definition.endpoints),
    ):
        for name in found:
            if name in _RESERVED:
                yield locate(
                    [kind, name], f"must not be called {name!r}: a resource is"
                )


def _limits(definition: Definition, here: Locate) -> Iterator[Problem]:
    for name, group in definition.groups.items():
        if group.healing.min_healthy > group.count:
            yield here(
                ["healing", "min_healthy"],
                f"{group.healing.min_healthy} must stay healthy in group {name!r}, which "
                f"has only {group.count}; lower it or raise the count",
            )
    for number, objective in enumerate(definition.objectives):
        if objective.indicator in TIMED and not objective.threshold_seconds:
            yield here(
                ["objectives", number],
                f"the {objective.indicator} objective {objective.name!r} needs threshold_seconds",
            )


def _lengths(
    definition: Definition, platform: str, service: str, here: Locate
) -> Iterator[Problem]:
    for name, group in definition.groups.items():
        longest = names.instance(
            platform, service, name, max(group.count - 1, 0), _GENERATIONS
        )
        if len(longest) > HOST_NAME_LENGTH_MAX:
            yield here(
                [],
                f"instances would be called {longest}, {len(longest)} characters; a host "
                f"name has at most {HOST_NAME_LENGTH_MAX}: shorten a name",
            )


def name_clashes(source: Source, services: Sequence[Service]) -> list[Problem]:
    """
    Services whose resources would bear the same name: `a` with group `b-c`, and `a-b` with group `c`.
    """
    owner: dict[str, str] = {}
    problems: list[Problem] = []
    for service in services:
        for name in _resource_names(service):
            other = owner.setdefault(name, service.name)
            if other != service.name:
                problems.append(
                    source.problem(
                        ["services", service.name],
                        f"a resource of it would be called {name}, as one of service "
                        f"{other!r}; rename one of them",
                    )
                )
                break
    return problems


def _resource_names(service: Service) -> Iterator[str]:
    for noun in ("lb", "ip"):
        yield names.of_service(service.platform, service.name, noun)
    for group in service.groups:
        yield names.of_service(service.platform, service.name, group.name)


def cycles(source: Source, depends_on: Mapping[str, Sequence[str]]) -> list[Problem]:
    """
    Services that wait for each other, each circle once.
    """
    finished: set[str] = set()
    problems: list[Problem] = []
    for start in depends_on:
        circle = _circle(start, depends_on, finished)
        if circle:
            problems.append(
                source.problem(
                    ["services", circle[0], "depends_on"],
                    f"a circle: {' -> '.join((*circle, circle[0]))}; take one out",
                )
            )
    return problems


def _circle(
    start: str, depends_on: Mapping[str, Sequence[str]], finished: set[str]
) -> tuple[str, ...]:
    """
    The first circle met from a service on. Everything visited is marked finished.
    """
    trail: list[str] = []
    pending: list[tuple[str, bool]] = [(start, False)]
    circle: tuple[str, ...] = ()
    while pending:
        name, leaving = pending.pop()
        if leaving:
            trail.pop()
            finished.add(name)
        elif name in trail:
            circle = circle or tuple(trail[trail.index(name) :])
        elif name not in finished and name in depends_on:
            trail.append(name)
            pending.append((name, True))
            pending += ((other, False) for other in depends_on[name])
    return circle
