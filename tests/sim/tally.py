"""
Many seeds, played and counted: what `make sim` and the bench print.

**An incident is one thing that truly went wrong and that healing had to mend or to survive**: a member, host, zone, image or load balancer that
broke, a stretch of time in which the API, the store, our eyes or Prometheus failed, a healer that was killed, stopped or whose clock was set, a
false alarm, a person's change beside healing. A strike that found nothing to break is none; messages that were lost, doubled or overtaken and
single faulty calls are none either. Cases closed are counted beside: one case may mend several incidents, and one incident may need several cases.

Time is that of one processor, all told: making worlds, deploying them, raging, recovering, checking the laws. Python's garbage is collected between
seeds and not within one.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.sim.simulation import Report, play

COLLECT_EVERY = 10
"""Seeds between collections: some hundred megabytes."""


@dataclass(slots=True)
class Tally:
    """
    What became of many seeds.

    Attributes:
        broken: The stories of seeds in which a law broke.
        struck: What went wrong, by kind.
        did: What healers did, and how cases ended.
        mail: Messages that were lost, doubled, or overtook another.
        seconds: Of one processor.
        virtual_seconds: That passed in these worlds.
    """

    seeds: int = 0
    broken: dict[int, str] = field(default_factory=dict)
    struck: Counter[str] = field(default_factory=Counter)
    did: Counter[str] = field(default_factory=Counter)
    mail: Counter[str] = field(default_factory=Counter)
    takeovers: list[float] = field(default_factory=list)
    cases: int = 0
    seconds: float = 0.0
    virtual_seconds: float = 0.0

    def add(self, report: Report) -> None:
        """
        One more seed.
        """
        self.seeds += 1
        if report.broken:
            self.broken[report.seed] = report.story()
        self.struck += report.struck
        self.did += report.did
        self.mail += report.mail
        self.takeovers += report.takeovers
        self.cases += report.cases
        self.virtual_seconds += report.seconds

    @property
    def incidents_a_minute(self) -> float:
        """
        Incidents in a minute of one processor.
        """
        return self.struck.total() / self.seconds * 60

    @property
    def takeover_p99(self) -> float | None:
        """
        Virtual seconds from a healer's death to the next one's having its case, of a hundred all but one.
        """
        known = sorted(self.takeovers)
        return known[int(len(known) * 0.99)] if known else None

    def lines(self) -> list[str]:
        """
        For people.
        """
        lines = [
            f"{self.seeds} seeds, {len(self.broken)} broken {sorted(self.broken) or ''}",
            f"{self.struck.total()} incidents (things that went wrong): {_listed(self.struck)}",
            f"messages: {_listed(self.mail)}",
            f"{self.cases} cases closed; healers did: {_listed(self.did)}",
            self._speed(),
        ]
        if self.takeover_p99 is not None:
            lines.append(
                f"{len(self.takeovers)} cases taken over, p99 {self.takeover_p99:.2f} s "
                f"virtually, at most {max(self.takeovers):.2f} s"
            )
        return lines

    def _speed(self) -> str:
        return (
            f"{self.seconds:.1f} s of one processor, garbage collected between seeds: "
            f"{self.incidents_a_minute:.0f} incidents a minute, "
            f"{self.cases / self.seconds * 60:.0f} cases closed a minute, "
            f"{self.virtual_seconds / self.seconds:.0f} times as fast as time"
        )


def play_all(seeds: Iterable[int], play_one: Callable[[int], Report] = play) -> Tally:
    """
    Play these seeds one after the other.
    """
    tally = Tally()
    collects = gc.isenabled()
    begin = time.process_time()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for number, seed in enumerate(seeds, 1):
            tally.add(play_one(seed))
            if number % COLLECT_EVERY == 0:
                gc.collect()
    finally:
        gc.unfreeze()
        if collects:
            gc.enable()
    tally.seconds = time.process_time() - begin
    return tally


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
