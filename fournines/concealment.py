"""
What must never be said: secrets this process has met, masked wherever text leaves it.

The first rule is not to put a secret into a text. This is the second one, for texts that others write: a Keystone that quotes the request, a
driver that quotes its URL, a git that quotes the remote. Every border that brings such text in, or lets text out, passes it through here.
"""

from __future__ import annotations

from threading import Lock

from fournines.model.plain import without_password

MASK = "***"

LENGTH_MIN = 6
"""A shorter secret would make holes into every other word; and it is none."""

_KNOWN: set[str] = set()
_LOCK = Lock()


def conceal(*secrets: str | None) -> None:
    """
    From now on these are masked.
    """
    with _LOCK:
        _KNOWN.update(one for one in secrets if one and len(one) >= LENGTH_MIN)


def concealed(text: str) -> str:
    """
    The text without any secret we know of, and without any password in a URL.
    """
    with _LOCK:
        known = sorted(_KNOWN, key=len, reverse=True)
    for secret in known:
        if secret in text:
            text = text.replace(secret, MASK)
    return without_password(text)


def forget() -> None:
    """
    Know of none; for tests, whose secrets are none.
    """
    with _LOCK:
        _KNOWN.clear()
