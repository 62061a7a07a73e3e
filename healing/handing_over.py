"""
The steps that healing puts around a member of a stateful service: it hands over before it goes, and is whole before the case goes on.
"""

from __future__ import annotations

from blueprints import drafting, lifecycles
from fournines.model import names
from fournines.planning.steps import AwaitMember, PrepareLeave
from healing.situation import Situation


def leave(situation: Situation) -> tuple[PrepareLeave, ...]:
    """
    Before the subject's instance is stopped; nothing for cattle, nor where there is no instance.
    """
    instance = situation.instance
    if instance is None or not _is_stateful(situation):
        return ()
    return (
        drafting.prepare_leave(
            situation.service,
            situation.group.name,
            _slot(situation),
            instance.name,
            needs=(),
            why="it is sick, and may still lead or vote",
        ),
    )


def arrive(
    situation: Situation, instance: str, *, after: tuple[str, ...]
) -> tuple[AwaitMember, ...]:
    """
    After an instance serves in the subject's slot; nothing for cattle.
    """
    if not _is_stateful(situation):
        return ()
    return (
        drafting.await_member(
            situation.service,
            situation.group.name,
            _slot(situation),
            instance,
            needs=after,
        ),
    )


def _is_stateful(situation: Situation) -> bool:
    return lifecycles.of(situation.service, situation.group) is not None


def _slot(situation: Situation) -> str:
    subject = situation.subject
    return names.slot(
        subject.platform, subject.service, subject.group or "", subject.slot or 0
    )
