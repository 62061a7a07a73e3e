"""
What must not be rolled out any more: an image whose new instances never served.

Replacements that fail are counted as strikes. Two strikes on one build (image, flavor and user-data) hold that build back; when two different
builds are held on the same image, the image itself is. So one service's bad release never stops the healing of another on the same image.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fournines.model.value import Value

STRIKES_MAX = 2
"""Sick replacements until the build is held back: one may be chance."""

STRIKES_AGE = timedelta(hours=6)
"""Older strikes say nothing about today."""


class Strike(Value):
    """
    A replacement that never served.
    """

    instance: str
    case: str
    at: datetime


class Quarantine(Value):
    """
    A build and its strikes.

    Attributes:
        digest: Of image, flavor and user-data (`instance_digest`).
        image: The image's name, and
        image_id: the id that the name meant then: a new image under the same name is another one.
        place: `platform/service/group`, for people.
        held_at: Since when it is held back; None while the strikes are too few.
    """

    digest: str
    image: str
    image_id: str = ""
    place: str = ""
    strikes: tuple[Strike, ...] = ()
    held_at: datetime | None = None

    @property
    def key(self) -> str:
        """
        One record per build on one image.
        """
        return f"{self.digest}@{self.image_id or self.image}"

    def is_image(self, name: str, image_id: str) -> bool:
        """
        Whether it is about this image; an unknown id is no difference.
        """
        same = not self.image_id or not image_id or self.image_id == image_id
        return self.image == name and same

    def struck(self, strike: Strike) -> Quarantine:
        """
        One more sick replacement; a repeated report counts once.
        """
        recent = tuple(
            old
            for old in self.strikes
            if strike.at - old.at < STRIKES_AGE and old.instance != strike.instance
        )
        strikes = (*recent, strike)
        held_at = self.held_at
        if held_at is None and len(strikes) >= STRIKES_MAX:
            held_at = strike.at
        return self.model_copy(update={"strikes": strikes, "held_at": held_at})

    def sentence(self) -> str:
        """
        For people.
        """
        since = f"{self.held_at:%Y-%m-%d %H:%M:%S} UTC" if self.held_at else "never"
        names = ", ".join(strike.instance for strike in self.strikes)
        return (
            f"image {self.image} (build {self.digest[:8]} of {self.place}) is in quarantine "
            f"since {since}: {names} never served. Lift it: fournines image release {self.image}"
        )


def holding(
    known: tuple[Quarantine, ...], *, digest: str, image: str, image_id: str
) -> Quarantine | None:
    """
    What forbids new instances of a build: the build's own quarantine, or two other builds' on the same image.
    """
    held = [q for q in known if q.held_at is not None and q.is_image(image, image_id)]
    own = next((q for q in held if q.digest == digest), None)
    if own is not None:
        return own
    return held[-1] if len({q.digest for q in held}) >= STRIKES_MAX else None
