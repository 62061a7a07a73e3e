"""
The catalogue: every folder beside this file that holds a blueprint.yaml.

A blueprint's head (name, version, summary, parameters) is checked when it is loaded; its body holds expressions and is
checked when a service is compiled from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from pydantic import Field

from blueprints.artefact import pack_folder
from blueprints.definition import Definition, Name
from blueprints.problem import BlueprintInvalid, Problem, did_you_mean
from blueprints.requirement import Requirement
from blueprints.source import Source, parse, read_text
from blueprints.validation import against_schema, below, validated
from fournines.model.value import Value

FILE = "blueprint.yaml"
ARTEFACT_FORMAT = "artefact"
"""A parameter whose schema says `format: artefact` names a tarball or folder that instances run."""

_HERE = Path(__file__).parent
_SAMPLE_FOLDER = "app"
_GUEST_FOLDER = "guest"
_TEMPLATE_SUFFIX = "*.j2"
_HEAD = ("blueprint", "version", "summary", "parameters", "requires")


class Head(Value):
    """
    What a blueprint says about itself.
    """

    blueprint: Name
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    summary: str = Field(min_length=1)
    parameters: dict[str, Any]
    requires: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Blueprint:
    """
    A template for services.

    Attributes:
        parameters: JSON schema of what a service of it is given.
        source: The whole document, for its body and for the lines of problems.
        templates: Text of the template files beside it, by name.
        sample: The built-in sample application as a tarball, when it has one.
        requires: Rules between parameters.
        files: Text of the programs in its folder `guest`, by name: user-data writes them into instances as `files["NAME"]`.
    """

    name: str
    version: str
    summary: str
    parameters: Mapping[str, Any]
    source: Source
    templates: Mapping[str, str]
    sample: bytes | None = None
    requires: tuple[Requirement, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """
        The document without its head.
        """
        return {k: v for k, v in self.source.data.items() if k not in _HEAD}

    @property
    def defaults(self) -> dict[str, Any]:
        """
        The parameters' default values.
        """
        properties = self.parameters.get("properties", {})
        return {n: p["default"] for n, p in properties.items() if "default" in p}

    @property
    def artefact_parameters(self) -> tuple[str, ...]:
        """
        The parameters that name artefacts.
        """
        properties = self.parameters.get("properties", {})
        return tuple(
            n for n, p in properties.items() if p.get("format") == ARTEFACT_FORMAT
        )


def load(path: Path) -> Blueprint:
    """
    Read a blueprint from its folder or its blueprint.yaml.

    Raises:
        FileUnreadable: A file cannot be read.
        YamlInvalid: It is no YAML.
        BlueprintInvalid: It breaks rules; all of them are named.
    """
    file = path if path.suffix in {".yaml", ".yml"} else path / FILE
    source = parse(read_text(file), str(file))
    given = {key: source.data[key] for key in _HEAD if key in source.data}
    head, problems = validated(Head, given, below(source))
    problems += _unknown_keys(source)
    if head is not None:
        problems += _schema_problems(source, head.parameters)
    if problems or head is None:
        raise BlueprintInvalid(problems)
    folder = file.parent
    app = folder / _SAMPLE_FOLDER
    return Blueprint(
        name=head.blueprint,
        version=head.version,
        summary=head.summary,
        parameters=head.parameters,
        source=source,
        templates={t.name: read_text(t) for t in sorted(folder.glob(_TEMPLATE_SUFFIX))},
        sample=pack_folder(app) if app.is_dir() else None,
        requires=head.requires,
        files=_guest_files(folder / _GUEST_FOLDER),
    )


def _guest_files(folder: Path) -> dict[str, str]:
    return {file.name: read_text(file) for file in sorted(folder.glob("*.*"))}


def all_blueprints(folder: Path = _HERE) -> dict[str, Blueprint]:
    """
    Every blueprint there is, by name. Raises as `load` does.
    """
    found = (load(file) for file in sorted(folder.glob(f"*/{FILE}")))
    return {blueprint.name: blueprint for blueprint in found}


def _unknown_keys(source: Source) -> list[Problem]:
    known = (*_HEAD, *Definition.model_fields)
    return [
        source.problem([key], f"unknown key{did_you_mean(key, known)}")
        for key in source.data
        if key not in known
    ]


def _schema_problems(source: Source, schema: dict[str, Any]) -> list[Problem]:
    """
    Parameters must be a JSON schema of an object that allows nothing else, with defaults that keep it.
    """
    locate = below(source, "parameters")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return [locate(list(error.absolute_path), f"no JSON schema: {error.message}")]
    if (
        schema.get("type") != "object"
        or schema.get("additionalProperties") is not False
    ):
        return [locate([], "must say `type: object` and `additionalProperties: false`")]
    properties = schema.get("properties", {})
    defaults = {n: p["default"] for n, p in properties.items() if "default" in p}
    relaxed = {k: v for k, v in schema.items() if k != "required"}
    return against_schema(
        relaxed,
        defaults,
        lambda path, message: locate(["properties", *path, "default"], message),
    )
