"""
Durations as people write them: `90s`, `30m`, `2h`, `1h30m`, `7d`.
"""

from __future__ import annotations

import re
from datetime import timedelta

_PART = re.compile(r"(\d{1,6})([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse(text: str) -> timedelta:
    """
    The duration that a text names.

    Raises:
        ValueError: It names none, or an empty one.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f"{text!r} is no duration: write 90s, 30m, 2h, 1h30m or 7d, without spaces"
        )
    found = sum(
        (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts),
        timedelta(),
    )
    if not found:
        raise ValueError(f"{text!r} is no time at all")
    return found


def text(duration: timedelta) -> str:
    """
    A duration in the same words, whole seconds.
    """
    seconds = max(int(duration.total_seconds()), 0)
    said = ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        said += f"{number}{unit}" if number else ""
    return said or "0s"
