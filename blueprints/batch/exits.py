"""
How tasks end, in words that say what to do. Pure.
"""

from __future__ import annotations

import signal
from enum import StrEnum

_SIGNALLED = 128


class Cause(StrEnum):
    """
    Why a task ended, as its worker says (guest/keeper.py).
    """

    DONE = "done"
    FAILED = "failed"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    LOST = "lost"
    CANCELLED = "cancelled"


_OF_CAUSES = {
    Cause.DONE: "ended well",
    Cause.TIMEOUT: "its time limit was over; raise time_limit or make the task smaller",
    Cause.MEMORY: "137: it was killed by signal 9, mostly because memory ran out; raise resources.memory_mb, or look for who sent kill -9",
    Cause.LOST: "workers died under it more often than retries.lost allows; this is no fault of the task",
    Cause.CANCELLED: "it was cancelled, or what it was to come after did not end well",
}
_OF_CODES = {
    126: "the script is there and cannot be run: has it a first line with #!, and a mode that allows it?",
    127: "a command was not found: is it in the image or in the artefact?",
}


def explained(cause: str, code: int) -> str:
    """
    One clause for people.
    """
    known = next((text for one, text in _OF_CAUSES.items() if one == cause), None)
    if known is not None:
        return known
    if code in _OF_CODES:
        return f"{code}: {_OF_CODES[code]}"
    if code > _SIGNALLED:
        return f"{code}: it was ended by signal {_signal(code - _SIGNALLED)}"
    return f"it ended with exit code {code}; its log says more"


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
