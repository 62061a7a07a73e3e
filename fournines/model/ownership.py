"""
Whose a cloud resource is.

Ownership is written twice: into the resource itself (Neutron and Octavia tags, Nova and Cinder metadata) and into the
registry. What carries neither is not ours and is never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from fournines.model.value import Value

MARK = "fournines"
"""Prefix of every tag and metadata key of ours; its presence alone says "made by Fournines"."""

IMAGE_MARK = f"{MARK}_image"
"""
Image property that names the image it was written for. Nova hands an image's properties down to whatever is made of its instances, so the
mark counts only where it names the image that bears it.
"""

_FIELDS = ("platform", "service", "group", "slot", "generation", "digest")


class Owner(Value):
    """
    The place of a resource in a platform.

    Attributes:
        platform: The platform's name.
        service: The service; None for what the platform's services share.
        group: The group of like instances; None for what a whole service shares.
        slot: Place in the group, from 0.
        generation: The n-th instance in the slot, from 1.
        digest: Digest of the specification the resource was made from; a different one means the resource is outdated.
    """

    platform: str
    service: str | None = None
    group: str | None = None
    slot: int | None = None
    generation: int | None = None
    digest: str | None = None

    def metadata(self) -> dict[str, str]:
        """
        As Nova and Cinder metadata: `fournines:service` -> `shop`.
        """
        return {
            f"{MARK}:{field}": str(value)
            for field in _FIELDS
            if (value := getattr(self, field)) is not None
        }

    def tags(self) -> tuple[str, ...]:
        """
        As Neutron and Octavia tags: `fournines:service=shop`.
        """
        return tuple(f"{key}={value}" for key, value in self.metadata().items())

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self | None:
        """
        The owner written in metadata, or None when the resource is not ours.
        """
        found = {
            field: metadata[f"{MARK}:{field}"]
            for field in _FIELDS
            if f"{MARK}:{field}" in metadata
        }
        return cls.model_validate(found) if "platform" in found else None

    @classmethod
    def from_tags(cls, tags: Iterable[str]) -> Self | None:
        """
        The owner written in tags, or None when the resource is not ours.
        """
        pairs = (tag.split("=", 1) for tag in tags if "=" in tag)
        return cls.from_metadata({pair[0]: pair[1] for pair in pairs})
