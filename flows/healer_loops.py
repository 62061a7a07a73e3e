"""
What the healer does again and again, each in a thread of its own: a loop that breaks is logged and goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fournines import log

_log = log.get("healer")


class Loops:
    """
    Threads that call something every so many seconds, or sooner when woken.
    """

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self._beats: dict[str, float] = {}

    def run(
        self,
        name: str,
        act: Callable[[], object],
        *,
        seconds: float,
        wake: threading.Event | None = None,
    ) -> None:
        """
        Begin a loop. `wake` ends a pause early.
        """
        thread = threading.Thread(
            target=self._loop,
            args=(name, act, seconds, wake or threading.Event()),
            name=name,
            daemon=True,
        )
        self._threads.append(thread)
        thread.start()

    @property
    def beats(self) -> dict[str, float]:
        """
        Seconds since each loop last came round.
        """
        now = time.monotonic()
        return {name: now - at for name, at in self._beats.items()}

    def end(self) -> None:
        """
        Begin no further round.
        """
        self._ending.set()

    def _loop(
        self,
        name: str,
        act: Callable[[], object],
        seconds: float,
        wake: threading.Event,
    ) -> None:
        while not self._ending.is_set():
            self._beats[name] = time.monotonic()
            try:
                act()
            except Exception:  # noqa: BLE001  the next round may go well; a healer without its loops is none
                _log.exception("loop_broke", loop=name)
                self._ending.wait(1)
            if wake.wait(seconds):
                wake.clear()
