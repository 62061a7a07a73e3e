"""
What is wrong with a service's parameters beyond its blueprint's schema and rules, where it takes a program to see: by the blueprint's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from blueprints.problem import PathPart
from blueprints.rabbitmq import topology

Complaint = tuple[Sequence[PathPart], str]
"""A place below the service's parameters, and what is wrong there."""

CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Iterable[Complaint]]] = {
    "rabbitmq": topology.complaints,
}


def complaints(blueprint: str, parameters: Mapping[str, Any]) -> tuple[Complaint, ...]:
    """
    All of them. The parameters have passed the schema.
    """
    check = CHECKS.get(blueprint)
    return tuple(check(parameters)) if check else ()
