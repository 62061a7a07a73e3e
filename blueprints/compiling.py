"""
Platform file x blueprints -> the desired platform. Pure; every problem of the whole file comes at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from blueprints import bindings, lifecycles
from blueprints.artefact import SAMPLE, Artefact, artefact
from blueprints.assembly import assemble
from blueprints.catalogue import Blueprint
from blueprints.checking import complaints
from blueprints.definition import Definition
from blueprints.expressions import Evaluation
from blueprints.platform_file import PlatformFile, ServiceEntry
from blueprints.problem import PlatformInvalid, Problem, did_you_mean
from blueprints.requirement import unmet
from blueprints.rules import cycles, definition_problems, name_clashes
from blueprints.userdata import user_data
from blueprints.validation import Locate, against_schema, below, validated
from fournines.model import names
from fournines.model.desired import HealingLimits, Platform, Service
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec


def compile_platform(
    file: PlatformFile,
    catalogue: Mapping[str, Blueprint],
    artefacts: Mapping[str, Artefact] | None = None,
) -> Platform:
    """
    What should be.

    Args:
        file: The platform file.
        catalogue: Blueprints by name.
        artefacts: By reference, what `gather_artefacts` gave; built-in samples need none.

    Raises:
        PlatformInvalid: With every problem of every service.
    """
    problems: list[Problem] = []
    services: list[Service] = []
    for name in file.services:
        service, found = _Compilation(file, name, catalogue, artefacts or {}).result()
        problems += found
        if service is not None:
            services.append(service)
    problems += _unmet_dependencies(file, services)
    problems += cycles(file.source, {s.name: s.depends_on for s in services})
    problems += name_clashes(file.source, services)
    if problems:
        raise PlatformInvalid(dict.fromkeys(problems))
    network = file.document.network
    return Platform(
        name=file.name,
        network=NetworkSpec(
            name=names.shared(file.name, "network"),
            owner=Owner(platform=file.name),
            cidr=network.cidr,
            subnet_pool=network.subnet_pool,
            external_network=network.external_network,
            mtu=network.mtu,
        ),
        services=tuple(services),
        disruptions_max=file.document.disruptions_max,
        storm_unhealthy_min=file.document.storm_unhealthy_min,
        storm_unhealthy_ratio_min=file.document.storm_unhealthy_ratio_min,
        storm_calm_seconds=file.document.storm_calm_seconds,
        maintenance=file.document.maintenance,
    )


class _Compilation:
    """
    One service on its way from an entry to what should be.
    """

    def __init__(
        self,
        file: PlatformFile,
        name: str,
        catalogue: Mapping[str, Blueprint],
        artefacts: Mapping[str, Artefact],
    ) -> None:
        self._file = file
        self._name = name
        self._entry: ServiceEntry = file.document.services[name]
        self._catalogue = catalogue
        self._artefacts = artefacts
        self._here = below(file.source, "services", name)

    def result(self) -> tuple[Service | None, list[Problem]]:
        """
        The service, or what is wrong with it.
        """
        blueprint = self._catalogue.get(self._entry.blueprint)
        if blueprint is None:
            word = self._entry.blueprint
            hint = did_you_mean(word, self._catalogue)
            return None, [
                self._here(["blueprint"], f"unknown blueprint {word!r}{hint}")
            ]
        parameters = {**blueprint.defaults, **self._entry.parameters}
        problems = against_schema(
            blueprint.parameters,
            parameters,
            lambda path, message: self._here(["parameters", *path], message),
        )
        found, lacking = self._artefacts_of(blueprint, parameters)
        if problems or lacking:
            return None, problems + lacking
        problems = unmet(
            blueprint.requires,
            self._values(parameters),
            lambda path, message: self._here(["parameters", *path], message),
            self._in_blueprint(blueprint),
        )
        problems += (
            self._here(["parameters", *path], message)
            for path, message in complaints(blueprint.name, parameters)
        )
        if problems:
            return None, problems
        return self._compiled(blueprint, parameters, found)

    def _compiled(
        self,
        blueprint: Blueprint,
        parameters: Mapping[str, Any],
        artefacts: Mapping[str, Artefact],
    ) -> tuple[Service | None, list[Problem]]:
        locate = self._in_blueprint(blueprint)
        values = self._values(parameters)
        evaluation = Evaluation(values, locate)
        body = evaluation.of(blueprint.body)
        if evaluation.problems:
            return None, evaluation.problems
        definition, problems = validated(Definition, body, locate)
        if definition is None:
            return None, problems
        definition, problems = self._overridden(definition)
        problems += self._wrong_sizes(definition)
        problems += definition_problems(
            definition, self._file.name, self._name, self._here, locate
        )
        bound, unbound = bindings.of_service(self._file, self._name, self._catalogue)
        problems += unbound
        data, unrendered = user_data(
            definition,
            blueprint,
            {
                **values,
                **artefacts,
                "files": blueprint.files,
                "bindings": bound,
            },
            locate,
            place=(self._file.name, self._name),
        )
        problems += unrendered
        if problems:
            return None, problems
        service = assemble(
            definition,
            user_data=data,
            platform=self._file.name,
            name=self._name,
            blueprint=blueprint,
            parameters=dict(parameters),
            external_network=self._file.document.network.external_network,
        )
        changes = {"maintenance": self._entry.maintenance, "uses": self._entry.uses}
        return service.model_copy(update=changes), []

    def _wrong_sizes(self, definition: Definition) -> list[Problem]:
        """
        Groups of members that decide together and are too many or too few for it, whatever anybody insists on.
        """
        rules = lifecycles.RULES.get(self._entry.blueprint)
        if rules is None:
            return []
        found = (
            rules.size_problem(group.count)
            for group in definition.groups.values()
            if group.identity == "ordinal"
        )
        return [
            self._here(["parameters", "count"], problem.sentence)
            for problem in found
            if problem is not None and not problem.forcible
        ]

    def _in_blueprint(self, blueprint: Blueprint) -> Locate:
        """
        Problems in a blueprint's body name the service that was being compiled.
        """

        def locate(path: Sequence[str | int], message: str) -> Problem:
            return blueprint.source.problem(
                path, f"{message} (compiling service {self._name!r})"
            )

        return locate

    def _values(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return bindings.known(self._file, self._name, parameters)

    def _artefacts_of(
        self, blueprint: Blueprint, parameters: Mapping[str, Any]
    ) -> tuple[dict[str, Artefact], list[Problem]]:
        """
        What stands in place of each artefact parameter when user-data is rendered.
        """
        found: dict[str, Artefact] = {}
        problems: list[Problem] = []
        for parameter in blueprint.artefact_parameters:
            reference = parameters.get(parameter)
            if reference == SAMPLE and blueprint.sample is not None:
                found[parameter] = artefact(SAMPLE, blueprint.sample)
            elif isinstance(reference, str) and reference in self._artefacts:
                found[parameter] = self._artefacts[reference]
            else:
                problems.append(
                    self._here(
                        ["parameters", parameter],
                        f"artefact {reference!r} was not fetched",
                    )
                )
        return found, problems

    def _overridden(self, definition: Definition) -> tuple[Definition, list[Problem]]:
        """
        The definition with what the service's entry says over it.
        """
        entry = self._entry
        problems: list[Problem] = []
        groups = {}
        for name, group in definition.groups.items():
            limits, found = validated(
                HealingLimits,
                {**group.healing.model_dump(), **entry.healing},
                lambda path, message: self._here(["healing", *path], message),
            )
            problems += found
            groups[name] = group.model_copy(update={"healing": limits or group.healing})
        objectives = definition.objectives
        if entry.objectives is not None:
            objectives = entry.objectives
        depends_on = tuple(
            dict.fromkeys(
                (*definition.depends_on, *entry.depends_on, *entry.uses.values())
            )
        )
        changed = {
            "groups": groups,
            "objectives": objectives,
            "depends_on": depends_on,
        }
        return definition.model_copy(update=changed), problems


def _unmet_dependencies(
    file: PlatformFile, services: Sequence[Service]
) -> list[Problem]:
    return [
        file.source.problem(
            ["services", service.name, "depends_on"],
            f"there is no service {name!r}{did_you_mean(name, file.services)}",
        )
        for service in services
        for name in service.depends_on
        if name not in file.services
    ]
