"""
The platform-wide picture: every member instance with its place, what it was made from, and whether it is well.

One sick member says little; which members are sick together says what they share: a host, a zone, an image, a dependency.
Put together at the edge (flows/surroundings.py) from the cloud's inventory, the load balancers' words, our own probes and the open
cases; here it is a value with questions. "Not known" is None, and None is never counted as well nor as unwell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MemberState:
    """
    One member instance of the platform.

    Attributes:
        digest: Of the specification it was made from (the release, in short).
        current: Whether that is the release that is asked for now.
        weight: Its weight in its pool; None when it is in none.
        well: It answers; None when nobody could say.
        silent: It was asked and is unwell without a word, dead or mute; one that answers badly is not silent. None when nobody asked it.
        balancer_alive: Whether the load balancer calls it alive; None when it is in no pool.
        served: Whether it has ever served since somebody looks; None when nobody looked.
        created_at: When the instance was made.
        since: Since when it is as it is, as far as known.
    """

    instance: str
    service: str
    group: str
    slot: int
    generation: int
    host: str | None = None
    zone: str | None = None
    image: str | None = None
    digest: str | None = None
    current: bool = True
    weight: int | None = None
    well: bool | None = None
    silent: bool | None = None
    balancer_alive: bool | None = None
    served: bool | None = None
    created_at: datetime | None = None
    since: datetime | None = None

    @property
    def unwell(self) -> bool:
        """
        Known to be unwell.
        """
        return self.well is False

    @property
    def key(self) -> str:
        """
        Its slot, as in a subject's key without the platform.
        """
        return f"{self.service}/{self.group}/{self.slot}"


@dataclass(frozen=True, slots=True)
class Share:
    """
    How many of some members are unwell, well, and not known.
    """

    unwell: int
    well: int
    unknown: int

    @property
    def known(self) -> int:
        """
        Members that somebody could look at.
        """
        return self.unwell + self.well

    @property
    def ratio(self) -> float:
        """
        The unwell among the known; 0 when nothing is known.
        """
        return self.unwell / self.known if self.known else 0.0

    def __str__(self) -> str:
        return f"{self.unwell} of {self.known}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    Every member instance of one platform at one moment.

    Attributes:
        hosts_down: Hosts that the cloud itself calls down, where our role may see it.
        recalled: Places that lately were found down, as cases name them (`zone az1`): their members may have been moved away since, and one
            left behind says little by itself. They stay down until somebody is well there.
    """

    at: datetime
    platform: str
    members: tuple[MemberState, ...] = ()
    hosts_down: frozenset[str] = field(default_factory=frozenset)
    recalled: frozenset[str] = field(default_factory=frozenset)

    def member(self, instance: str | None) -> MemberState | None:
        """
        The member of an instance's name, or None.
        """
        for member in self.members:
            if member.instance == instance:
                return member
        return None

    def where(self, fits: Callable[[MemberState], bool]) -> Pattern:
        """
        The part of the picture that fits.
        """
        return Pattern(
            self.at,
            self.platform,
            tuple(m for m in self.members if fits(m)),
            self.hosts_down,
            self.recalled,
        )

    def of_service(self, service: str) -> Pattern:
        """
        One service's members.
        """
        return self.where(lambda m: m.service == service)

    def of_group(self, service: str, group: str) -> Pattern:
        """
        One group's members.
        """
        return self.where(lambda m: (m.service, m.group) == (service, group))

    def on_host(self, host: str | None) -> Pattern:
        """
        What shares a host; empty when the host is not known.
        """
        return self.where(lambda m: host is not None and m.host == host)

    def in_zone(self, zone: str | None) -> Pattern:
        """
        What shares a zone; empty when the zone is not known.
        """
        return self.where(lambda m: zone is not None and m.zone == zone)

    def without(self, other: Pattern) -> Pattern:
        """
        The rest.
        """
        names = {m.instance for m in other.members}
        return self.where(lambda m: m.instance not in names)

    @property
    def unwell(self) -> tuple[MemberState, ...]:
        """
        Members known to be unwell.
        """
        return tuple(m for m in self.members if m.unwell)

    @property
    def hosts(self) -> tuple[str, ...]:
        """
        The hosts that members are on, by name.
        """
        return tuple(sorted({m.host for m in self.members if m.host}))

    @property
    def zones(self) -> tuple[str, ...]:
        """
        The zones that members are in, by name.
        """
        return tuple(sorted({m.zone for m in self.members if m.zone}))

    @property
    def services(self) -> tuple[str, ...]:
        """
        The services that have members, by name.
        """
        return tuple(sorted({m.service for m in self.members}))

    @property
    def share(self) -> Share:
        """
        How many are unwell.
        """
        unwell = sum(m.well is False for m in self.members)
        well = sum(m.well is True for m in self.members)
        return Share(unwell, well, len(self.members) - unwell - well)

    def zone_is_down(self, zone: str | None) -> bool:
        """
        Members of two or more slots on two or more hosts of the zone, all silent as far as asked, while most of the others are well.
        """
        there = [m for m in self.members if zone is not None and m.zone == zone]
        if f"zone {zone}" in self.recalled:
            return not any(m.well for m in there)
        hosts = {m.host for m in there if m.host}
        return len(hosts) >= PLACES_MIN and self._is_down(there)

    def host_is_down(self, host: str | None) -> bool:
        """
        Members of two or more slots on the host, all silent as far as asked, while most of the others are well; or the cloud says so and
        none is well.
        """
        there = [m for m in self.members if host is not None and m.host == host]
        if host in self.hosts_down or f"host {host}" in self.recalled:
            return not any(m.well for m in there)
        return self._is_down(there)

    def zones_down(self) -> tuple[str, ...]:
        """
        Zones that look down.
        """
        left = {
            place.removeprefix("zone ")
            for place in self.recalled
            if place.startswith("zone ")
        }
        known = sorted({*self.zones, *left})
        return tuple(zone for zone in known if self.zone_is_down(zone))

    def _is_down(self, there: Sequence[MemberState]) -> bool:
        mute: set[str] = set()
        for member in there:
            if member.well or (member.unwell and member.silent is False):
                return False
            if member.unwell and member.silent:
                mute.add(member.key)
        if len(mute) < MEMBERS_MIN:
            return False
        here = {m.instance for m in there}
        elsewhere = [m.well for m in self.members if m.instance not in here]
        return elsewhere.count(True) > elsewhere.count(False)


MEMBERS_MIN = 2
"""Members of a host or zone that must be silent together: one says nothing about what it stands on."""

PLACES_MIN = 2
"""Hosts of a zone that must be silent together: one is a host, not a zone."""
