"""
Baked images as the cloud knows them: which is current, which came before, what may go. Pure.

All that is known of one stands in its properties, so that every checkout and every person sees the same. A `candidate` has not proved itself
yet and is used by nobody. Of those that have, the youngest is current, the one before it previous, all others deprecated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum

from fournines.model.desired import Platform
from fournines.model.inventory import Image
from fournines.model.ownership import IMAGE_MARK, MARK
from fournines.model.value import Value

PROPERTY_LENGTH_MAX = 255
"""Nova copies properties into columns of this length when it makes an instance."""

SOURCE_PROPERTY = f"{MARK}_package_source"
"""Where an image's packages are to be had while it is baked, where its own sources are out of reach; handed down."""


STATE_PROPERTY = f"{MARK}_state"


class State(StrEnum):
    """
    What an image is good for.
    """

    CANDIDATE = "candidate"
    CURRENT = "current"
    PREVIOUS = "previous"
    DEPRECATED = "deprecated"


class Baked(Value):
    """
    An image that was baked here.

    Attributes:
        digest: The recipe's, its ancestors' included.
        parent: The concrete image it grew from.
        packages: Digest of its package list; the list itself lies in the image and in the state directory.
        versions: Of what it is for, as `name=version`.
    """

    id: str
    name: str
    recipe: str
    digest: str
    state: State
    at: datetime
    parent: str
    packages: str = ""
    versions: tuple[str, ...] = ()
    size_bytes: int = 0

    def properties(self) -> dict[str, str]:
        """
        As it stands in the cloud.
        """
        return {
            f"{MARK}_recipe": self.recipe,
            f"{MARK}_digest": self.digest,
            STATE_PROPERTY: str(self.state),
            f"{MARK}_at": self.at.isoformat(timespec="seconds"),
            f"{MARK}_parent": self.parent,
            # Glance keeps no empty words apart from absent ones.
            f"{MARK}_packages": self.packages or "-",
            f"{MARK}_versions": _fitting(self.versions) or "-",
        }


def _fitting(versions: Iterable[str]) -> str:
    text = ""
    for one in versions:
        longer = f"{text} {one}".strip()
        if len(longer) > PROPERTY_LENGTH_MAX:
            break
        text = longer
    return text


def read(images: Iterable[Image]) -> tuple[Baked, ...]:
    """
    Those that were baked here, the youngest first. Pictures that people took of instances bear other names than their marks say.
    """
    found = (
        _read(image)
        for image in images
        if image.status == "active" and image.properties.get(IMAGE_MARK) == image.name
    )
    return tuple(sorted((one for one in found if one), key=_age, reverse=True))


def _age(one: Baked) -> tuple[datetime, str]:
    return (one.at, one.name)


def _read(image: Image) -> Baked | None:
    told = {
        key.removeprefix(f"{MARK}_"): "" if value == "-" else value
        for key, value in image.properties.items()
    }
    try:
        at = datetime.fromisoformat(told["at"])
        return Baked(
            id=image.id,
            name=image.name,
            recipe=told["recipe"],
            digest=told["digest"],
            state=State(told["state"]),
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            parent=told["parent"],
            packages=told.get("packages", ""),
            versions=tuple(told.get("versions", "").split()),
            size_bytes=image.size_bytes,
        )
    except (KeyError, ValueError):
        return None  # somebody changed it by hand: it is theirs now


def current(baked: Iterable[Baked], recipe: str) -> Baked | None:
    """
    The image that a recipe's name means. A worker that died while it promoted one may have left two: the younger counts.
    """
    fitting = (
        one for one in baked if one.recipe == recipe and one.state is State.CURRENT
    )
    return max(fitting, key=_age, default=None)


def settled(baked: Iterable[Baked]) -> dict[str, State]:
    """
    The states that are not what they should be, by the image's name.
    """
    found: dict[str, State] = {}
    rank: dict[str, int] = {}
    order = (State.CURRENT, State.PREVIOUS)
    for one in sorted(baked, key=_age, reverse=True):
        if one.state is State.CANDIDATE:
            continue
        number = rank.get(one.recipe, 0)
        rank[one.recipe] = number + 1
        wanted = order[number] if number < len(order) else State.DEPRECATED
        if one.state is not wanted:
            found[one.name] = wanted
    return found


def prunable(
    baked: Iterable[Baked], *, in_use: Collection[str], wanted: Collection[str]
) -> tuple[str, ...]:
    """
    The names of the images that nobody needs any more.

    Args:
        baked: All there are.
        in_use: Ids of images that instances were made from.
        wanted: Names that what is deployed asks for: its next instance will be made from one of them.
    """
    return tuple(
        one.name
        for one in baked
        if one.state is State.DEPRECATED
        and one.id not in in_use
        and one.name not in wanted
    )


def resolved(desired: Platform, images: Iterable[Image]) -> Platform:
    """
    The platform with concrete images in place of recipes' names. A name that no baked image answers to is left as it is.
    """
    known = read(images)
    by_recipe = {one.recipe: current(known, one.recipe) for one in known}
    services = []
    for service in desired.services:
        groups = []
        for group in service.groups:
            found = by_recipe.get(group.image)
            groups.append(
                group.model_copy(update={"image": found.name}) if found else group
            )
        services.append(service.model_copy(update={"groups": tuple(groups)}))
    return desired.model_copy(update={"services": tuple(services)})


def lacking(
    desired: Platform,
    images: Iterable[Image],
    recipes: Collection[str],
    only: str | None = None,
) -> tuple[str, ...]:
    """
    The recipes that a platform (or `only` one service of it) names and that no image answers to: what has to be baked before it can be deployed.
    """
    images = tuple(images)
    there = {one.recipe for one in read(images) if one.state is State.CURRENT}
    there |= {image.name for image in images}
    named = {
        group.image
        for service in desired.services
        if only in {None, service.name}
        for group in service.groups
    }
    return tuple(sorted((named & set(recipes)) - there))


def wanted_images(platforms: Iterable[Platform]) -> frozenset[str]:
    """
    The names of the images that what is deployed asks for.
    """
    return frozenset(
        group.image
        for platform in platforms
        for service in platform.services
        for group in service.groups
    )


def unfinished(images: Iterable[Image], recipe: str) -> tuple[str, ...]:
    """
    What a bake that died left of itself: candidates, and images still in the making.
    """
    return tuple(
        image.name
        for image in images
        if image.properties.get(IMAGE_MARK) == image.name
        and image.properties.get(f"{MARK}_recipe") == recipe
        and image.properties.get(STATE_PROPERTY) == State.CANDIDATE
    )


def new_name(recipe: str, at: datetime, taken: Collection[str]) -> str:
    """
    `postgres-20261127.1`: the day, and which of that day.
    """
    day = f"{recipe}-{at:%Y%m%d}"
    number = 1
    while f"{day}.{number}" in taken:
        number += 1
    return f"{day}.{number}"


def versions_of(packages: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    """
    The versions worth knowing, of those installed.
    """
    return tuple(f"{name}={packages[name]}" for name in names if name in packages)
