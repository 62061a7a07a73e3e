"""
Quorum lost: a stateful service can decide nothing any more, because too many of its members do not vote.

Nothing that may still live is taken away then: one of the silent may have what nobody else has, and the service goes on by itself as soon as enough
are back. Only what the cloud itself calls dead is brought back onto its volume, which takes nothing away (`gone` stays `gone`). Everything else is a
person's business.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.inventory import DEAD_STATUSES
from healing.diagnosis.finding import Finding
from healing.evidence import MemberEvidence
from healing.scene import Scene


def look(member: Finding, scene: Scene, evidence: MemberEvidence) -> Finding | None:
    """
    Whether the subject's cluster has lost its quorum, and the subject itself may be alive.
    """
    if not scene.stateful or _is_dead(evidence):
        return None
    saw = _by_its_own_word(scene) or _by_silence(scene)
    if saw is None:
        return None
    return Finding(
        diagnosis=Diagnosis.QUORUM_LOST,
        cause=f"quorum of {scene.subject.service}/{scene.subject.group}",
        saw=f"{saw}; this member: {member.saw}",
        again=True,
    )


def _is_dead(evidence: MemberEvidence) -> bool:
    status = evidence.instance_status
    return evidence.cloud_read and (status is None or status in DEAD_STATUSES)


def _by_its_own_word(scene: Scene) -> str | None:
    view = scene.cluster
    if view is None or view.has_quorum or not view.voters:
        return None
    return (
        f"{view.votes} of {view.voters} members of {view.service} vote, "
        f"and {view.quorum} must"
    )


def _by_silence(scene: Scene) -> str | None:
    """
    Nobody in it says anything, and most of its members do not answer us either.
    """
    share = scene.group.share
    if scene.cluster is not None or share.unwell * 2 <= len(scene.group.members):
        return None
    return f"nobody in {scene.subject.service} says how it is, and {share} members do not answer well"
