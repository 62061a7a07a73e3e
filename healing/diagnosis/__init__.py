"""
One engine per file. Those of the first row look at one member and say what it shows; those of the second look at what is around it and
may know a cause that the member's own evidence cannot show. In each row the first that is sure decides.

The order matters: what makes the others meaningless comes first.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis import (
    bad_release,
    balancer,
    blind,
    cut_off,
    dependency,
    failing,
    flapping,
    gone,
    grey_errors,
    grey_slow,
    host_down,
    hung,
    lagging,
    no_leader,
    nothing,
    outside,
    quorum_lost,
    saturation,
    split_view,
    zone_down,
)
from healing.diagnosis.finding import Finding
from healing.evidence import MemberEvidence
from healing.scene import Scene

ENGINES = (
    blind.look,
    gone.look,
    hung.look,
    failing.look,
    grey_errors.look,
    grey_slow.look,
    nothing.look,
)

CAUSES = (
    cut_off.look,
    zone_down.look,
    host_down.look,
    split_view.look,
    no_leader.look,
    outside.look,
    lagging.look,
    dependency.look,
    bad_release.look,
    balancer.look,
    flapping.look,
)


def diagnose(evidence: MemberEvidence) -> Finding:
    """
    What the member itself shows: the first engine's finding; `unknown`, to be looked at again, when none is sure.
    """
    for look in ENGINES:
        finding = look(evidence)
        if finding is not None:
            return finding
    bad = sum(not probe.good for probe in evidence.probes)
    return Finding(
        diagnosis=Diagnosis.UNKNOWN,
        saw=f"{bad} of {len(evidence.probes)} probes failed: too little to say why",
        again=True,
    )


def explain(member: Finding, evidence: MemberEvidence, scene: Scene) -> Finding:
    """
    The cause behind what a member shows: what its surroundings say, else its own finding.
    """
    if member.diagnosis is Diagnosis.BLIND:
        return member
    lost = quorum_lost.look(member, scene, evidence)
    if lost is not None:
        return lost
    for look in CAUSES:
        found = look(member, scene)
        if found is not None:
            return found
    return saturation.look(member, scene, evidence) or member
