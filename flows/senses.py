"""
The healer's own senses: what it looks with, hears by, tells through and acts by. Losing one as a whole is an alarm and a case of its own.

Each is asked by itself, again and again. One that gave no answer several times on end is out: people are told directly, since the way that
alarms take may be what is missing, a case is opened, and the metric says so. The case is closed when it answers again. A sense that has never
answered since this healer began is given a while to start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.conventions import Severity
from flows.sense_cases import SenseCases
from fournines import log
from fournines.cloud.protocol import SERVICES
from tasks.workshop import Workshop

START_SECONDS_MAX = 60.0
"""So long a sense may take to answer for the first time: everything is started at once."""

CONFIRM_SECONDS = 0.5
"""Pause before services that did not answer are asked once more."""

_log = log.get("senses")


@dataclass(frozen=True, slots=True)
class Sense:
    """
    Something without which the healer is blind, deaf or lame.

    Attributes:
        without: What that means, for people.
        ask: An empty text when it answers, else what is wrong; None when there is no news.
        seconds: From question to question.
        misses_max: More questions on end without an answer are no hiccup.
        is_cloud: One of the cloud's own services: what fails without it says nothing about what was tried.
        severity: Who is woken.
    """

    name: str
    without: str
    ask: Callable[[], str | None]
    seconds: float = 1.0
    misses_max: int = 2
    is_cloud: bool = False
    severity: Severity = Severity.PAGE


@dataclass(slots=True)
class _State:
    seen: bool = False
    misses: int = 0
    missed_at: datetime | None = None
    out_since: datetime | None = None
    why: str = ""


Tell = Callable[[Sense, str, bool], None]
"""Tells people directly that a sense is out (what is wrong, True) or back (how long it was, False)."""


def tell_nobody(_sense: Sense, _said: str, _out: bool) -> None:  # noqa: FBT001  as `Tell`
    """
    No address of people is known.
    """


class Senses:
    """
    What is known of each. Thread-safe.
    """

    def __init__(
        self,
        workshop: Workshop,
        senses: Sequence[Sense],
        tell: Tell = tell_nobody,
    ) -> None:
        self._workshop = workshop
        self._tell = tell
        self._cases = SenseCases(workshop)
        self._lock = workshop.crew.lock()
        self._began_at = workshop.clock.now()
        self._states = {sense.name: _State() for sense in senses}
        self.senses = tuple(senses)

    def look(self, sense: Sense) -> None:
        """
        Ask one sense, and draw what follows.
        """
        asked_at = self._workshop.clock.now()
        why = sense.ask()
        now = self._workshop.clock.now()
        state = self._states[sense.name]
        if why is None:
            return
        if why:
            self._missed(sense, state, why, asked_at)
        else:
            self._answered(sense, state, now)

    def look_at_all(self) -> None:
        """
        Ask each, one after the other.
        """
        for sense in self.senses:
            self.look(sense)

    def out(self) -> dict[str, bool]:
        """
        Which senses are out; those of which nothing is known yet are left out.
        """
        with self._lock:
            return {
                name: state.out_since is not None
                for name, state in self._states.items()
                if state.seen or state.out_since is not None
            }

    def away(self, since: datetime | None = None) -> str:
        """
        What of the cloud's own services is out, for people; empty: nothing. With `since`, what was missed since that moment counts, and all are
        asked afresh, twice: whatever failed meanwhile says nothing about what was tried.
        """
        with self._lock:
            found = {
                sense.name
                for sense in self.senses
                if sense.is_cloud and self._is_missed(sense, since)
            }
        if since is not None and not found:
            found = set(self._silent_twice())
        return ", ".join(sorted(found))

    def _is_missed(self, sense: Sense, since: datetime | None) -> bool:
        state = self._states[sense.name]
        if state.out_since is not None:
            return True
        if since is None or state.missed_at is None:
            return False
        return state.missed_at >= since and state.misses > 1

    def _silent_twice(self) -> tuple[str, ...]:
        cloud, clock = self._workshop.cloud, self._workshop.clock
        silent = cloud.unanswered(SERVICES)
        if not silent:
            return ()
        clock.sleep(CONFIRM_SECONDS)
        return cloud.unanswered(silent)

    def _missed(
        self, sense: Sense, state: _State, why: str, asked_at: datetime
    ) -> None:
        with self._lock:
            state.misses += 1
            state.missed_at = asked_at
            state.why = why
            young = asked_at - self._began_at < timedelta(seconds=START_SECONDS_MAX)
            if state.misses <= sense.misses_max or (young and not state.seen):
                return
            new = state.out_since is None
            state.out_since = state.out_since or asked_at
        if new:
            _log.warning("sense_lost", sense=sense.name, error=why)
            self._tell(sense, why, True)
        self._cases.lost(sense.name, f"{sense.without} ({why})", asked_at)

    def _answered(self, sense: Sense, state: _State, now: datetime) -> None:
        with self._lock:
            since, first = state.out_since, not state.seen
            state.seen, state.misses, state.out_since = True, 0, None
        if since is not None:
            lasted = f"it was away for {(now - since).total_seconds():.0f} s"
            _log.info("sense_back", sense=sense.name, lasted=lasted)
            self._tell(sense, lasted, False)
        self._cases.regained(sense.name, now, sure=first or since is not None)
