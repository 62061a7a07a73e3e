"""
Recipes of images: what is installed, written, run and proved in a builder, on top of which parent.

A recipe lies in a folder of its own, `deployments/images/<name>/recipe.yaml`. Its parent is another recipe, or else an image that the cloud
already has. Its digest covers its ancestors, so that a change below shows above.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from blueprints.definition import Name
from blueprints.problem import BlueprintInvalid, Problem, did_you_mean
from blueprints.source import Source, parse, read_text
from blueprints.validation import below, validated
from fournines.model.value import DIGEST_LENGTH, Value

FILE = "recipe.yaml"

_PACKAGE = re.compile(r"^[a-z0-9][a-z0-9+.-]+$")
_MODE = re.compile(r"^0?[0-7]{3}$")
_SACRED = frozenset({"/", "/*", "/etc", "/etc/*", "/usr", "/usr/*", "/var", "/var/*"})


def _package(text: str) -> str:
    if not _PACKAGE.match(text):
        raise ValueError(
            "must be a Debian package's name: lower-case letters, digits, + . -"
        )
    return text


def _absolute(text: str) -> str:
    if not text.startswith("/") or ".." in text.split("/"):
        raise ValueError("must be an absolute path without `..`")
    return text


def _removable(text: str) -> str:
    if _absolute(text).rstrip("/") in _SACRED or text == "/":
        raise ValueError("would take the system away; name what is to go")
    return text


def _mode(text: str) -> str:
    if not _MODE.match(text):
        raise ValueError('must be octal and quoted, as "0644"')
    return text


Package = Annotated[str, AfterValidator(_package)]
Words = Annotated[str, Field(min_length=1)]


class FileEntry(Value):
    """
    A file that is there before the packages are; a package's own of that path gives way to it.
    """

    path: Annotated[str, AfterValidator(_absolute)]
    content: str
    permissions: Annotated[str, AfterValidator(_mode)] = "0644"


class Check(Value):
    """
    Something that must be true: a shell script that ends with 0.
    """

    name: Annotated[str, Field(min_length=1, max_length=80, pattern="^[^\n]*$")]
    run: Words


class Recipe(Value):
    """
    What an image is made of.

    Attributes:
        parent: Another recipe, or the name of an image of the cloud.
        versions: Packages whose versions are worth knowing without reading the whole list.
        commands: Run after the packages are installed, one shell script each.
        keep: Units of the packages that may start by themselves; all others are disabled, because they would start before cloud-init has
            written what they are to read.
        tests: Run in the builder, before what is there is sealed.
        smoke: Run in an instance made from the image.
        remove: Paths (shell patterns allowed) that the tests or packages left and no instance may share.
        timeout_seconds: Of all that is done in the builder.
        ram_mb: The builder has at least so much, and
        disk_gb: so much disk.
    """

    image: Name
    summary: Words
    parent: Words
    packages: tuple[Package, ...] = ()
    versions: tuple[Package, ...] = ()
    files: tuple[FileEntry, ...] = ()
    commands: tuple[Words, ...] = ()
    keep: tuple[Words, ...] = ()
    tests: tuple[Check, ...] = Field(min_length=1)
    smoke: tuple[Check, ...] = ()
    remove: tuple[Annotated[str, AfterValidator(_removable)], ...] = ()
    timeout_seconds: int = Field(600, ge=30, le=7_200)
    ram_mb: int = Field(512, ge=128)
    disk_gb: int = Field(2, ge=1)


def load(path: Path) -> Recipe:
    """
    Read one recipe.

    Raises:
        BlueprintError: With every problem, its file, line and path.
    """
    return _load(path)[0]


def _load(path: Path) -> tuple[Recipe, Source]:
    source = parse(read_text(path), str(path))
    recipe, problems = validated(Recipe, source.data, below(source))
    if recipe is not None:
        problems += _own_problems(recipe, source, path.parent.name)
    if problems or recipe is None:
        raise BlueprintInvalid(problems)
    return recipe, source


def _own_problems(recipe: Recipe, source: Source, folder: str) -> Iterator[Problem]:
    if recipe.image != folder:
        yield source.problem(
            ["image"], f"is {recipe.image!r} in a folder called {folder!r}; rename one"
        )
    for key, given in (
        ("packages", recipe.packages),
        ("files", tuple(file.path for file in recipe.files)),
    ):
        for number, one in enumerate(given):
            if one in given[:number]:
                yield source.problem([key, number], f"{one} stands here twice")


def all_recipes(folder: Path) -> dict[str, Recipe]:
    """
    Every recipe there is, by name.

    Raises:
        BlueprintError: One of them breaks a rule, or they are each other's parents.
    """
    found = {file.parent.name: _load(file) for file in sorted(folder.glob(f"*/{FILE}"))}
    recipes = {name: recipe for name, (recipe, _) in found.items()}
    problems = [
        source.problem(["parent"], "leads back to the image itself; choose another one")
        for name, (_, source) in found.items()
        if _circles(name, recipes)
    ]
    if problems:
        raise BlueprintInvalid(problems)
    return recipes


def _circles(name: str, recipes: Mapping[str, Recipe]) -> bool:
    met, at = set(), name
    while at in recipes and at not in met:
        met.add(at)
        at = recipes[at].parent
    return at in met


class RecipeUnknown(BlueprintInvalid):
    """
    No recipe bears that name.
    """


def find(name: str, recipes: Mapping[str, Recipe], folder: Path) -> Recipe:
    """
    The recipe of that name. Raises RecipeUnknown.
    """
    if name not in recipes:
        raise RecipeUnknown(
            [Problem(str(folder), f"no recipe {name!r}{did_you_mean(name, recipes)}")]
        )
    return recipes[name]


def lineage(name: str, recipes: Mapping[str, Recipe]) -> tuple[Recipe, ...]:
    """
    The recipe with its ancestors, the eldest first.
    """
    found: list[Recipe] = []
    while name in recipes:
        found.insert(0, recipes[name])
        name = recipes[name].parent
    return tuple(found)


def digest(name: str, recipes: Mapping[str, Recipe]) -> str:
    """
    What changes when the recipe or one it grows from does.
    """
    line: list[Any] = [one.content_digest() for one in lineage(name, recipes)]
    return hashlib.sha256("/".join(line).encode()).hexdigest()[:DIGEST_LENGTH]
