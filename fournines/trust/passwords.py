"""
Passwords that nobody can guess.
"""

from __future__ import annotations

import secrets as random
import string

_SECRET_LENGTH = 32
_ALPHABET = string.ascii_letters + string.digits
"""No character that a shell, a URL or a configuration file takes for its own."""


def new_secret() -> str:
    """
    A new one.
    """
    return "".join(random.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
