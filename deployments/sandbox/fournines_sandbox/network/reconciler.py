"""
The reconciler: makes the kernel's network what Neutron's database says, at every change and every few seconds.
"""

from __future__ import annotations

import threading


class Reconciler:
    """
    A thread that is woken.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    def wake(self) -> None:
        """
        Look at once.
        """
        self._event.set()


def start() -> Reconciler:
    """
    Start the thread.
    """
    return Reconciler()
