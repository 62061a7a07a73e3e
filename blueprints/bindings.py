"""
Service binding: what a service that uses another one is told of it, as the other's blueprint offers it.

Secrets and addresses are references here, as everywhere in a plan; they are resolved when the user's instances are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blueprints import words
from blueprints.catalogue import Blueprint
from blueprints.expressions import Evaluation
from blueprints.platform_file import PlatformFile
from blueprints.problem import Problem, did_you_mean
from blueprints.validation import below

ADDRESS = "@FLOATING_IP@"
"""Stands in outputs for the endpoint's address, which is known only after the deploy."""

_OFFERS = "offers"

Offers = dict[str, Any]


def known(
    file: PlatformFile, service: str, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """
    What the expressions of a service's blueprint may name.
    """
    return {
        **parameters,
        "platform": file.name,
        "service": service,
        "defaults": file.document.defaults.model_dump(mode="json"),
        "address": ADDRESS,
        **words.of_service(file.name, service),
    }


def of_service(
    file: PlatformFile, service: str, catalogue: Mapping[str, Blueprint]
) -> tuple[dict[str, Offers], list[Problem]]:
    """
    What a service is told of those it uses, by the name it knows each by; and what is wrong with that.
    """
    found: dict[str, Offers] = {}
    problems: list[Problem] = []
    for name, other in file.document.services[service].uses.items():
        here = below(file.source, "services", service, "uses", name)
        entry = file.document.services.get(other)
        if entry is None:
            # The dependency that follows from it says the same; this is where it was written.
            problems.append(
                here(
                    [],
                    f"there is no service {other!r}{did_you_mean(other, file.services)}",
                )
            )
            continue
        blueprint = catalogue.get(entry.blueprint)
        if blueprint is None:
            continue  # said of that service
        body = blueprint.body.get(_OFFERS)
        if not body:
            problems.append(
                here(
                    [],
                    f"service {other!r} is of blueprint {blueprint.name!r}, which offers nothing that could be used; "
                    "name it below depends_on if only the order counts",
                )
            )
            continue
        parameters = {**blueprint.defaults, **entry.parameters}
        evaluation = Evaluation(known(file, other, parameters), here)
        found[name] = evaluation.of(body, (_OFFERS,))
    return found, problems
