"""
References in user-data: what is known only when an instance is made, or must not stand in a plan.

    @{address:demo-db-pg-0}        the address of a slot
    @{vip:demo-db-lb}              the address of a load balancer inside the platform
    @{secret:db/superuser}         a secret of a service, made at its first use
    @{login:db/login-app}          under which name the version in force of such a secret lets in
    @{ca:demo}                     the certificate of the platform's own authority
    @{certificate:demo-db-pg-0}    the certificate of a slot
    @{private-key:demo-db-pg-0}    the private key of a slot
    @{objects:host}                the object store: host, port, region, ca, or the bucket of a service (bucket/db)

Plans, journals and logs hold them as they stand here; they are replaced just before the cloud is asked for the instance. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """
    What a reference stands for.
    """

    ADDRESS = "address"
    VIP = "vip"
    SECRET = "secret"  # noqa: S105  the word, not one
    LOGIN = "login"
    CA = "ca"
    CERTIFICATE = "certificate"
    PRIVATE_KEY = "private-key"
    OBJECTS = "objects"


CONFIDENTIAL = frozenset({Kind.SECRET, Kind.PRIVATE_KEY})
"""What only the instance itself may read."""

_OF_SECRETS = frozenset({Kind.SECRET, Kind.LOGIN})

_MARK = re.compile(
    rf"@\{{(?P<kind>{'|'.join(kind.value for kind in Kind)}):(?P<name>[^{{}}\s]+)\}}"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """
    One reference.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"@{{{self.kind.value}:{self.name}}}"


def found(text: str) -> tuple[Reference, ...]:
    """
    The references in a text, each once, in the order met.
    """
    every = (_reference(match) for match in _MARK.finditer(text))
    return tuple(dict.fromkeys(every))


def is_confidential(text: str) -> bool:
    """
    Whether a text holds a reference to what only the instance itself may read.
    """
    return any(one.kind in CONFIDENTIAL for one in found(text))


def names(text: str, kind: Kind) -> tuple[str, ...]:
    """
    The names referred to, of one kind.
    """
    return tuple(one.name for one in found(text) if one.kind is kind)


def secrets(text: str) -> tuple[str, ...]:
    """
    The names of the secrets whose versions a text depends on.
    """
    every = (one.name for one in found(text) if one.kind in _OF_SECRETS)
    return tuple(dict.fromkeys(every))


def replaced(text: str, value: Callable[[Reference], str]) -> str:
    """
    The text with each reference's value in its place.
    """
    return _MARK.sub(lambda match: value(_reference(match)), text)


def _reference(match: re.Match[str]) -> Reference:
    return Reference(Kind(match["kind"]), match["name"])
