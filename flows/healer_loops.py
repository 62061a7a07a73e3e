"""
What the healer does again and again, each beside the others: a loop that breaks is logged and goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from fournines import log
from fournines.crew import Crew, Event

_log = log.get("healer")


PAUSE_SECONDS_MAX = 20.0
"""However slow a round was: what is older says too little, and `CloudUnread` rings after a minute."""


def pause_seconds(least: float, share: float, took: float) -> float:
    """
    The pause after a round that took so long.
    """
    return max(least, min(took * (1 / share - 1), PAUSE_SECONDS_MAX))


class Loops:
    """
    Threads that call something every so many seconds, or sooner when woken.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._ending = crew.event()
        self._beats: dict[str, float] = {}

    def run(
        self,
        name: str,
        act: Callable[[], object],
        *,
        seconds: float,
        share: float = 1.0,
        wake: Event | None = None,
    ) -> None:
        """
        Begin a loop: rounds with a pause of so many seconds between them, at least. `wake` ends a pause early.

        `share` is the part of the time that rounds may take: of slow ones there are fewer, so that whoever they ask, and who answers slowly
        because there is much else to do, is not asked all the more.
        """
        ring = wake or self._crew.event()
        pause = partial(pause_seconds, seconds, share)
        self._crew.beside(name, partial(self._loop, name, act, pause, ring))

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
        pause: Callable[[float], float],
        wake: Event,
    ) -> None:
        while not self._ending.is_set():
            begin = self._beats[name] = time.monotonic()
            try:
                act()
            except Exception:  # noqa: BLE001  the next round may go well; a healer without its loops is none
                _log.exception("loop_broke", loop=name)
                self._ending.wait(1)
            if wake.wait(pause(time.monotonic() - begin)):
                wake.clear()
