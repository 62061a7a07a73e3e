"""
How a declared user of a database or a bus logs in: PostgreSQL and RabbitMQ know one password per name, so each version of the password has a name
of its own, `app.a` and `app.b` in turn, and both are let in while a rotation is under way. Pure.

Declared names have no dot, so none of these is another user's. Two names are enough: a rotation that was cut short is finished before the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable

NAME_LENGTH_MAX = 57
"""A secret's name has 63 letters at most."""

_PREFIX = "login-"
_ONE_PASSWORD = "user-"  # noqa: S105  a prefix, not a password


def kept_as(user: str) -> str:
    """
    The name of the secret whose versions a user logs in with.
    """
    return f"{_PREFIX}{user}"


def kept_alone_as(user: str) -> str:
    """
    The name of the secret from the time when a user logged in under its own name. While the store has it, that goes on.
    """
    return f"{_ONE_PASSWORD}{user}"


def user_of(secret: str) -> str | None:
    """
    The user whose logins a secret (`login-app`, without its service) is for; None: it is for something else.
    """
    return secret.removeprefix(_PREFIX) if secret.startswith(_PREFIX) else None


def name(user: str, version: int) -> str:
    """
    Under which name a version of the password lets in.
    """
    return f"{user}.{'ab'[(version - 1) % 2]}"


def declared(login: str) -> str:
    """
    The user that a login is for.
    """
    return login.partition(".")[0]


def let_in(
    user: str, kept: Iterable[tuple[int, str]], alone: str | None
) -> dict[str, str]:
    """
    Who is let in for a user, and with which password; first what is handed out now.

    Args:
        user: As declared.
        kept: The versions in the store, the newest first.
        alone: The password for the user's own name, if there still is one.
    """
    found: dict[str, str] = {}
    for version, password in kept:
        found.setdefault(name(user, version), password)
    if alone is not None:
        found[user] = alone
    return found
