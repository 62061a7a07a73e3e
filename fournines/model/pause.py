"""
A pause: a person asked healing to keep its hands off a service, a group, a slot or one instance.
"""

from __future__ import annotations

from datetime import datetime

from fournines.model.case import Subject
from fournines.model.value import Value


class Pause(Value):
    """
    Hands off. Nothing at all is changed, not even a weight.

    Attributes:
        subject: What is paused; a field left out means all of them.
        until: When it ends by itself; None until somebody lifts it.
    """

    subject: Subject
    by: str
    at: datetime
    why: str = ""
    until: datetime | None = None

    @property
    def key(self) -> str:
        """
        One pause per place; an instance's differs from its slot's.
        """
        return self.subject.instance or self.subject.key

    def holds(self, now: datetime) -> bool:
        """
        Whether it has not ended yet.
        """
        return self.until is None or now < self.until

    def covers(self, subject: Subject) -> bool:
        """
        Whether a subject lies within what is paused.
        """
        mine, theirs = self.subject.model_dump(), subject.model_dump()
        return all(
            wanted is None or theirs[field] == wanted for field, wanted in mine.items()
        )

    def touches(self, platform: str, service: str) -> bool:
        """
        Whether any part of a service is paused.
        """
        return (self.subject.platform, self.subject.service) == (platform, service)

    def sentence(self) -> str:
        """
        For people.
        """
        until = f" until {self.until:%Y-%m-%d %H:%M:%S} UTC" if self.until else ""
        return f"{self.key} is paused by {self.by}{until}{f': {self.why}' if self.why else ''}"


def covering(
    pauses: tuple[Pause, ...], subject: Subject, now: datetime
) -> Pause | None:
    """
    The first pause in force over a subject.
    """
    return next((p for p in pauses if p.holds(now) and p.covers(subject)), None)
