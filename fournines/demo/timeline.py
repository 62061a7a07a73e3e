"""
The timeline in the terminal: one line a second with requests, errors, members and the case's state.

Lines rather than a redrawn screen, so that a log of it reads the same as the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from fournines.demo.tally import Tally
from fournines.model.case import Case
from fournines.model.inventory import Member

_BAR = " ▁▂▃▄▅▆▇█"
_BAR_STEPS = len(_BAR) - 1


def line(
    now: datetime, seen: Tally, members: Sequence[Member], case: Case | None
) -> Text:
    """
    One second as one line.
    """
    text = Text(now.strftime("%H:%M:%S "), style="dim")
    text.append(f"{seen.requests:4d} req ")
    share = seen.bad / seen.requests if seen.requests else 0.0
    text.append(_bar(share), style="red" if share else "green")
    text.append(f" {seen.bad:3d} bad ", style="bold red" if seen.bad else "dim")
    text.append(f"p99 {seen.p99_seconds * 1000:5.0f} ms  ", style="dim")
    for member in members:
        text.append_text(_member(member))
    if case is not None:
        text.append(f"  {case.id} ", style="dim")
        text.append(case.state.value, style="bold cyan")
        if case.diagnosis is not None:
            text.append(f" ({case.diagnosis.value})", style="cyan")
        if case.events:
            text.append(f"  {case.events[-1].text}", style="dim")
    return text


def legend() -> Text:
    """
    What the member signs mean.
    """
    text = Text("members: ", style="dim")
    text.append("●", style="green").append(" serving  ", style="dim")
    text.append("○", style="yellow").append(" weight 0  ", style="dim")
    text.append("✗", style="red").append(" down", style="dim")
    return text


def _member(member: Member) -> Text:
    if member.weight == 0:
        return Text("○", style="yellow")
    if member.operating_status in {"ONLINE", "NO_MONITOR"}:
        return Text("●", style="green")
    return Text("✗", style="red")


def _bar(share: float) -> str:
    return _BAR[min(_BAR_STEPS, round(share * _BAR_STEPS + (0.49 if share else 0)))]
