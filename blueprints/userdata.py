"""
User-data: rendered once for a group, the same for every slot but for the placeholder `@SLOT@`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import yaml

from blueprints import words
from blueprints.catalogue import Blueprint
from blueprints.definition import Definition, GroupDefinition
from blueprints.expressions import Evaluation
from blueprints.problem import Problem, did_you_mean
from blueprints.validation import Locate
from fournines.model import references

ENCODED_BYTES_MAX = 65_535
"""Nova's limit for base64-encoded user-data."""

_CLOUD_CONFIG = "#cloud-config"
_SLOT_ROOM = 64
"""What `@SLOT@` may grow by in each place it stands: a host name."""


def user_data(
    definition: Definition,
    blueprint: Blueprint,
    values: Mapping[str, Any],
    locate: Locate,
    *,
    place: tuple[str, str],
) -> tuple[dict[str, str], list[Problem]]:
    """
    Each group's user-data, and what is wrong with it. `place` is platform and service.
    """
    counts = {name: group.count for name, group in definition.groups.items()}
    rendered: dict[str, str] = {}
    problems: list[Problem] = []
    for name, group in definition.groups.items():
        template = blueprint.templates.get(group.user_data)
        where = ["groups", name, "user_data"]
        if template is None:
            hint = did_you_mean(group.user_data, blueprint.templates)
            problems.append(
                locate(where, f"there is no template {group.user_data!r}{hint}")
            )
            continue
        known = {**values, **words.of_group(*place, name, counts)}
        evaluation = Evaluation({**known, "group": _view(name, group)}, locate)
        rendered[name] = evaluation.render(template, where)
        problems += evaluation.problems
        if not evaluation.problems:
            problems += (locate(where, m) for m in _complaints(rendered[name]))
    return rendered, problems


def _view(name: str, group: GroupDefinition) -> dict[str, Any]:
    return {"name": name, **group.model_dump(mode="json")}


def _complaints(text: str) -> list[str]:
    """
    What a cloud or cloud-init would refuse.
    """
    size = len(text.encode()) + text.count("@SLOT@") * _SLOT_ROOM
    encoded = len(base64.b64encode(b"." * size))
    if encoded > ENCODED_BYTES_MAX:
        text = f"takes {encoded} bytes encoded, and Nova allows {ENCODED_BYTES_MAX}"
        return [f"{text}; give the artefact by URL"]
    if not text.startswith(_CLOUD_CONFIG):
        return [f"must begin with {_CLOUD_CONFIG}"]
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"renders to no YAML: {str(error).splitlines()[0]}"]
    if not isinstance(document, dict):
        return ["renders to no mapping"]
    return _exposed(document)


def _exposed(document: dict[str, Any]) -> list[str]:
    """
    Secrets and private keys travel sealed, which only the content of a file can: anywhere else they would be read by anybody.
    """
    files = document.get("write_files") or ()
    bare = [
        {k: v for k, v in one.items() if k != "content"}
        for one in files
        if isinstance(one, dict)
    ]
    rest = json.dumps({**document, "write_files": bare}, default=str)
    return [
        f"{one} may stand only in the content of a file below write_files, where it is sealed"
        for one in references.found(rest)
        if one.kind in references.CONFIDENTIAL
    ]
