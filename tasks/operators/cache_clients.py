"""
With which password clients of a cache are let in: Redis takes several at once, so a new one stands beside the old until the members are rolled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress

from tasks.operators import ClusterSilent
from tasks.operators.redis_line import Line

CLIENT = "default"
"""The user that applications are."""

Open = Callable[[str], Line]
"""Opens a line to the Redis at an address."""


def strangers(
    addresses: Mapping[str, str], password: str, open_line: Open
) -> dict[str, str]:
    """
    The members that answer and do not let clients in with a password, with their addresses.
    """
    digest = _digest(password)
    found = {}
    for slot, address in addresses.items():
        with suppress(ClusterSilent), open_line(address) as server:
            # redis-py tells this answer as a mapping, whichever protocol is spoken.
            if digest not in server.say("ACL", "GETUSER", CLIENT)["passwords"]:
                found[slot] = address
    return found


def let_in(address: str, password: str, open_line: Open) -> None:
    """
    Have a member let clients in with a password, too. It goes there as a digest: the clear one stands in no command.
    """
    with open_line(address) as server:
        server.say("ACL", "SETUSER", CLIENT, f"#{_digest(password)}")


def in_words(slot: str) -> str:
    """
    For people.
    """
    return f"{slot} lets clients in with the password of the store"


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
