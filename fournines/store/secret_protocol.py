"""
The door of secrets: kept encrypted, in versions, one namespace a platform.

A secret's name is `service/name`; names that begin with "@" are ours: the platform's authority, slots' certificates. Barbican, where a cloud has
it, can stand behind the same door.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from fournines.model.value import Value


class Secret(Value):
    """
    One version of a secret.

    Attributes:
        version: From 1; the highest is in force.
        handed_out_at: When a person was given it, if anybody was.
    """

    platform: str
    name: str
    version: int
    content: SecretStr
    made_at: datetime
    handed_out_at: datetime | None = None

    @property
    def text(self) -> str:
        """
        What is secret.
        """
        return self.content.get_secret_value()


class Secrets(Protocol):
    """
    Secrets by platform and name. Whatever is read or written here is concealed in logs from then on.
    """

    def current(self, platform: str, name: str) -> Secret | None:
        """
        The version in force.
        """
        ...

    def ensure(
        self, platform: str, name: str, make: Callable[[], str], *, at: datetime
    ) -> Secret:
        """
        The version in force, made when there is none; of two who make it at once both get the same.
        """
        ...

    def add(self, platform: str, name: str, text: str, *, at: datetime) -> Secret:
        """
        A new version, in force from now on.
        """
        ...

    def versions(self, platform: str) -> dict[str, int]:
        """
        Every name and the version in force; no secret is read.
        """
        ...

    def kept(self, platform: str, name: str) -> tuple[Secret, ...]:
        """
        All versions there are, the newest first.
        """
        ...

    def forget_before(self, platform: str, name: str, version: int) -> int:
        """
        Delete the versions of a secret that are older than one; how many. The numbers of those that come go on.
        """
        ...

    def hand_out(self, platform: str, name: str, version: int, *, at: datetime) -> bool:
        """
        Mark a version as given to a person; False when it was before.
        """
        ...

    def forget(self, platform: str, prefix: str = "") -> int:
        """
        Delete all versions of the names that begin so; how many.
        """
        ...
