"""
What was tried in a case, kept in its evidence: a case that waited for a person, or whose healer died, does not begin at the first rung again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import JsonValue

from fournines.model.case import Case
from healing.rungs import Rung

TRIED = "tried"


@dataclass(frozen=True, slots=True)
class Tries:
    """
    Rungs that did not help, rungs whose plan broke off, replacements that never served, and whether the cloud had room.
    """

    failed: tuple[Rung, ...] = ()
    broken: tuple[Rung, ...] = ()
    spoiled: frozenset[str] = frozenset()
    no_room: bool = False

    def with_failed(self, rung: Rung) -> Tries:
        """
        A rung that did not help, or would not.
        """
        return replace(self, failed=(*self.failed, rung))

    def with_broken(self, rung: Rung) -> Tries:
        """
        A rung whose plan broke off.
        """
        return replace(self, broken=(*self.broken, rung))

    def with_spoiled(self, instance: str) -> Tries:
        """
        A replacement that never served.
        """
        return replace(self, spoiled=self.spoiled | {instance})

    def without_room(self) -> Tries:
        """
        The cloud had no room.
        """
        return replace(self, no_room=True)

    def evidence(self) -> dict[str, JsonValue]:
        """
        As the case keeps it.
        """
        return {
            "failed": [rung.value for rung in self.failed],
            "broken": [rung.value for rung in self.broken],
            "spoiled": [*sorted(self.spoiled)],
            "no_room": self.no_room,
        }

    @classmethod
    def of(cls, case: Case) -> Tries:
        """
        As the case kept it.
        """
        kept = case.evidence.get(TRIED)
        if not isinstance(kept, dict):
            return cls()
        return cls(
            failed=tuple(Rung(str(rung)) for rung in _listed(kept["failed"])),
            broken=tuple(Rung(str(rung)) for rung in _listed(kept["broken"])),
            spoiled=frozenset(str(name) for name in _listed(kept["spoiled"])),
            no_room=bool(kept["no_room"]),
        )


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
