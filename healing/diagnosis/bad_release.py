"""
Bad release or image: the new ones are sick, the old ones are or were well.

Three patterns, each over the members of one group:

- two releases side by side, every member of the new one sick and every member of the old one well;
- one release, asked for within the last minutes in place of another, and every member sick;
- one release, and the instances made last never served although older ones do: the image has changed under its name.
"""

from __future__ import annotations

from datetime import timedelta

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import Finding
from healing.diagnosis.kinds import SICK
from healing.pattern import MemberState
from healing.scene import Scene

MEMBERS_MIN = 2
"""New members that must be sick: one may have bad luck of its own."""

RELEASE_AGE = timedelta(minutes=10)
"""So long after a change it is the first suspect when all fall ill; later something else is likelier."""

APART = timedelta(seconds=60)
"""Instances made closer together than this were made from the same."""


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the newest of the group are sick because of what they were made from.
    """
    if member.diagnosis not in SICK:
        return None
    known = tuple(m for m in scene.group.members if m.well is not None and m.generation)
    me = scene.member
    if me is None or not me.current:
        return None
    return (
        _beside_the_old(known, scene)
        or _after_the_change(known, scene)
        or _never_served(known, me, scene)
    )


def _beside_the_old(known: tuple[MemberState, ...], scene: Scene) -> Finding | None:
    new = [m for m in known if m.current]
    old = [m for m in known if not m.current]
    if len(new) < MEMBERS_MIN or not old:
        return None
    if any(m.well for m in new) or any(m.unwell for m in old):
        return None
    return _found(
        scene,
        new[0],
        f"all {len(new)} members of the new release are sick, "
        f"all {len(old)} of the old one are well",
    )


def _after_the_change(known: tuple[MemberState, ...], scene: Scene) -> Finding | None:
    changed = scene.released_at
    if changed is None or scene.now - changed > RELEASE_AGE:
        return None
    if len(known) < MEMBERS_MIN or not all(m.unwell and m.current for m in known):
        return None
    ago = (scene.now - changed).total_seconds()
    return _found(
        scene,
        known[0],
        f"all {len(known)} members are sick, {ago:.0f} s after their release was changed",
    )


def _never_served(
    known: tuple[MemberState, ...], me: MemberState, scene: Scene
) -> Finding | None:
    well = [m.created_at for m in known if m.well and m.created_at]
    if me.served is not False or not well:
        return None
    young = [
        m
        for m in known
        if m.unwell
        and m.served is False
        and m.created_at is not None
        and m.created_at > max(well) + APART
    ]
    if len(young) < MEMBERS_MIN or me not in young:
        return None
    finding = _found(
        scene,
        me,
        f"the {len(young)} instances made last never served, the older ones do",
    )
    return finding.model_copy(update={"cause": f"image {me.image}"})


def _found(scene: Scene, example: MemberState, saw: str) -> Finding:
    subject = scene.subject
    return Finding(
        diagnosis=Diagnosis.BAD_RELEASE,
        cause=f"release {(example.digest or '?')[:8]} of {subject.service}/{subject.group}",
        saw=saw,
    )
