"""
Which member is it? Asked when a whole service burns its budget and no alert names a member.

Two rounds of our own probes of every member; who fails both is a suspect, and only that: the examination decides.
"""

from __future__ import annotations

from flows import healer_targets
from flows.healer_view import View
from flows.probe_rounds import ROUND_SECONDS
from fournines.model.case import Subject
from fournines.model.desired import Group
from fournines.model.inventory import Instance
from tasks.workshop import Workshop

AT_ONCE = 16
"""Members asked at once."""

WELL_ROUNDS = 2
"""A member is well by our own probes when all of so many rounds are good."""

SUSPECTS_MAX = 5
"""More are a storm: the first few cases say so."""


class Sweep:
    """
    Asks every member of a service.
    """

    def __init__(self, workshop: Workshop, view: View) -> None:
        self._workshop = workshop
        self._view = view

    def suspects(self, platform: str, service: str) -> tuple[Subject, ...]:
        """
        Slots whose member fails users or its health check, twice.
        """
        asked = [
            (group, instance)
            for where, what, group, instance in healer_targets.instances(self._view)
            if (where.name, what.name) == (platform, service) and instance.address
        ]
        return tuple(
            Subject(
                platform=platform,
                service=service,
                group=group.name,
                slot=instance.owner.slot if instance.owner else None,
                instance=instance.name,
            )
            for group, instance in self._failing(asked)[:SUSPECTS_MAX]
        )

    def is_well(self, subject: Subject) -> bool:
        """
        Whether one member answers users and its health check, twice on end.
        """
        found = [
            (group, instance)
            for _, _, group, instance in healer_targets.instances(self._view)
            if instance.name == subject.instance and instance.address and group.probe
        ]
        return bool(found) and all(
            self._answers(pair) for pair in found for _ in range(WELL_ROUNDS)
        )

    def sick(self, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
        """
        Of these slots those whose member fails users or its health check, twice.
        """
        names = {subject.instance: subject for subject in subjects}
        asked = [
            (group, instance)
            for _, _, group, instance in healer_targets.instances(self._view)
            if instance.name in names and instance.address
        ]
        return tuple(names[instance.name] for _, instance in self._failing(asked))

    def _failing(
        self, asked: list[tuple[Group, Instance]]
    ) -> list[tuple[Group, Instance]]:
        if not asked:
            return []
        with self._workshop.crew.hands(AT_ONCE, "sweep") as threads:
            failing = threads.map(self._fails, asked)
            return [p for p, fails in zip(asked, failing, strict=True) if fails]

    def _answers(self, pair: tuple[Group, Instance]) -> bool:
        group, instance = pair
        probe, address = group.probe, instance.address
        assert probe is not None
        assert address is not None
        return all(
            self._workshop.prober.probe(
                address,
                probe.port,
                path,
                timeout_ms=probe.timeout_ms,
                scheme=probe.scheme,
            ).good
            for path in (probe.path, probe.health_path)
        )

    def _fails(self, pair: tuple[Group, Instance]) -> bool:
        group, instance = pair
        if group.probe is None or instance.address is None:
            return False
        for number in range(2):
            if number:
                self._workshop.clock.sleep(ROUND_SECONDS)
            if self._answers(pair):
                return False
        return True
