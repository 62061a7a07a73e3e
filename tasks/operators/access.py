"""
What an operator needs to be let in: the platform's CA, a service's secrets, and where asked for a certificate of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


def _no_certificate() -> tuple[str, str]:
    raise LookupError("this service was said to ask for no certificate")


def _no_logins(user: str) -> Mapping[str, str]:
    raise LookupError(
        f"this service was said to have no users, and {user} is asked for"
    )


@dataclass(frozen=True, slots=True)
class Access:
    """
    The way into one service. `secret` gives a secret by its name, generating it at its first use; `certificate` one that the service's members
    accept, and its key, as PEM; `logins` the names under which a declared user is let in now, with their passwords: first the one in force, then those
    that a rotation has not ended yet.
    """

    ca: str
    secret: Callable[[str], str]
    certificate: Callable[[], tuple[str, str]] = _no_certificate
    logins: Callable[[str], Mapping[str, str]] = _no_logins

    def __repr__(self) -> str:
        return "Access()"
