"""
Whether somebody listens at a port: what tells a program that died from one that is slow.
"""

from __future__ import annotations

import socket

KNOCK_SECONDS = 1.0
"""A refusal comes at once; who has not answered by then is cut off or slow, which others find out."""


def refuses(address: str, port: int) -> bool:
    """
    Whether the machine is there and nobody listens at that port. Silence is no refusal.
    """
    try:
        with socket.create_connection((address, port), timeout=KNOCK_SECONDS):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
