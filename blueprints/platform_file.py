"""
platform.yaml: the platform's shared parts, and which services it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from blueprints.artefact import SAMPLE, Artefact, Fetch, artefact
from blueprints.catalogue import Blueprint
from blueprints.definition import Cidr, Name, OfferName
from blueprints.problem import ArtefactInvalid, PlatformInvalid, Problem
from blueprints.source import Source, parse, read_text
from blueprints.validation import below, validated
from fournines.model import names
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.objective import Objective
from fournines.model.plain import without_password
from fournines.model.value import Value

Words = Annotated[str, Field(min_length=1)]


class NetworkEntry(Value):
    """
    The platform's network. Without `cidr` the cloud's subnet pool gives one.
    """

    cidr: Cidr | None = None
    subnet_pool: Words | None = None
    external_network: Words | None = None
    mtu: int | None = Field(None, ge=576, le=9216)


class Defaults(Value):
    """
    What services take when they do not say otherwise.
    """

    image: Words = "debian-12"
    flavor: Words = "m1.tiny"
    zones: tuple[Words, ...] = ()


class ServiceEntry(Value):
    """
    One service.

    Attributes:
        parameters: Checked against the blueprint's schema.
        uses: Other services that this one is told of: the name it knows each by -> the service. It begins when they serve.
        objectives: In place of the blueprint's.
        healing: Fields of HealingLimits, over the blueprint's.
        maintenance: Windows of this service, beside the platform's.
    """

    blueprint: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    depends_on: tuple[Name, ...] = ()
    uses: dict[OfferName, Name] = Field(default_factory=dict)
    objectives: tuple[Objective, ...] | None = None
    healing: dict[str, Any] = Field(default_factory=dict)
    maintenance: tuple[MaintenanceWindow, ...] = ()


class PlatformDocument(Value):
    """
    The whole file.
    """

    platform: Name
    network: NetworkEntry = NetworkEntry()
    defaults: Defaults = Defaults()
    disruptions_max: int = Field(2, ge=1, le=100)
    storm_unhealthy_min: int = Field(5, ge=1)
    storm_unhealthy_ratio_min: float = Field(0.5, gt=0, le=1)
    storm_calm_seconds: int = Field(60, ge=0)
    maintenance: tuple[MaintenanceWindow, ...] = ()
    services: dict[Name, ServiceEntry] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformFile:
    """
    A platform file that was read, with its source for messages.
    """

    document: PlatformDocument
    source: Source

    @property
    def name(self) -> str:
        """
        The platform's name.
        """
        return self.document.platform

    @property
    def services(self) -> tuple[str, ...]:
        """
        The services' names, in the file's order.
        """
        return tuple(self.document.services)

    def with_parameters(
        self, service: str, parameters: Mapping[str, Any]
    ) -> PlatformFile:
        """
        The same platform with other parameters of one service: what scaling by hand asks for.

        Raises:
            PlatformInvalid: There is no such service.
        """
        entry = self.document.services.get(service)
        if entry is None:
            raise PlatformInvalid(
                [self.source.problem(["services"], f"has no service {service!r}")]
            )
        changed = entry.model_copy(
            update={"parameters": {**entry.parameters, **parameters}}
        )
        services = {**self.document.services, service: changed}
        document = self.document.model_copy(update={"services": services})
        return replace(self, document=document)


def load(path: Path) -> PlatformFile:
    """
    Read a platform file. Its services are checked when it is compiled.

    Raises:
        FileUnreadable: It cannot be read.
        YamlInvalid: It is no YAML.
        PlatformInvalid: It breaks rules; all of them are named.
    """
    return from_text(read_text(path), str(path))


def from_text(text: str, file: str = "platform.yaml") -> PlatformFile:
    """
    Read a platform file's text. Raises as `load` does, but never FileUnreadable.
    """
    source = parse(text, file)
    document, problems = validated(PlatformDocument, source.data, below(source))
    if document is None:
        raise PlatformInvalid(problems)
    if document.platform == names.BAKE:
        said = f"{names.BAKE!r} is whose the builders of images are, and they are swept; give another name"
        raise PlatformInvalid([source.problem(["platform"], said)])
    return PlatformFile(document, source)


def artefact_references(
    file: PlatformFile, catalogue: Mapping[str, Blueprint]
) -> dict[str, tuple[str, str]]:
    """
    The artefacts that must be fetched, with the service and parameter that name each.
    """
    found: dict[str, tuple[str, str]] = {}
    for name, entry in file.document.services.items():
        blueprint = catalogue.get(entry.blueprint)
        for parameter in blueprint.artefact_parameters if blueprint else ():
            reference = entry.parameters.get(parameter, SAMPLE)
            if isinstance(reference, str) and reference != SAMPLE:
                found.setdefault(reference, (name, parameter))
    return found


def gather_artefacts(
    file: PlatformFile,
    catalogue: Mapping[str, Blueprint],
    fetch: Fetch,
    *,
    look: Callable[[str, bytes], Artefact] = artefact,
) -> dict[str, Artefact]:
    """
    Fetch every artefact a platform's services name, each once.

    Args:
        file: The platform.
        catalogue: The blueprints.
        fetch: Gives a tarball's bytes; raises OSError or ArtefactInvalid when it cannot.
        look: Checks the bytes.

    Raises:
        ArtefactInvalid: With a problem for each that cannot be used, at its place in the platform file.
    """
    found: dict[str, Artefact] = {}
    problems: list[Problem] = []
    for reference, place in artefact_references(file, catalogue).items():
        where = ["services", place[0], "parameters", place[1]]
        try:
            found[reference] = look(reference, fetch(reference))
        except ArtefactInvalid as error:
            problems += (
                file.source.problem(where, f"artefact {p.file}: {p.message}")
                for p in error.problems
            )
        except OSError as error:
            problems.append(
                file.source.problem(
                    where, f"artefact {without_password(reference)}: {error}"
                )
            )
    if problems:
        raise ArtefactInvalid(problems)
    return found
