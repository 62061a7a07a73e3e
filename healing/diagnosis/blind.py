"""
Blind: what we look with is broken, so nothing is said about the member.

The rough model: if nothing answers us, not the member and not one of its peers, while the load balancer calls the member
ONLINE, then it is our road there that is cut. Acting on that would replace healthy instances. Where not even the load balancer
answers us, its word is no witness against the member either: silence everywhere is no sample of our own.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.probing import Answer
from fournines.model.standby import STANDBY
from healing.diagnosis.finding import Finding
from healing.evidence import MemberEvidence

UNHEARD = frozenset({Answer.SILENT, Answer.UNREACHABLE})
"""A refusal comes from a machine that was reached."""

ALIVE = frozenset({"ONLINE", "NO_MONITOR", "DRAINING", STANDBY})


def look(evidence: MemberEvidence) -> Finding | None:
    """
    Whether we can see at all.
    """
    if not evidence.cloud_read and not evidence.probes:
        return Finding(
            diagnosis=Diagnosis.BLIND,
            saw="neither the cloud's API nor a probe of our own could be read",
        )
    answered = [p for p in evidence.probes if p.answer is Answer.STATUS]
    alone = evidence.peers_silent or not evidence.peer_probes
    reached = [status for status in evidence.peer_statuses if status in ALIVE]
    if evidence.peers_silent and not answered and reached:
        return Finding(
            diagnosis=Diagnosis.BLIND,
            saw=(
                f"not one of {len(evidence.peer_probes)} probes to the peers was answered, yet the load balancer reaches "
                f"{len(reached)} of them: our way there is cut, and our probes of the member say nothing"
            ),
        )
    if (
        evidence.probes
        and not answered
        and alone
        and evidence.instance_status == "ACTIVE"
        and evidence.operating_status in ALIVE
    ):
        return Finding(
            diagnosis=Diagnosis.BLIND,
            saw=(
                f"none of {len(evidence.probes)} probes was answered, nor one of "
                f"{len(evidence.peer_probes)} to its peers, yet the load balancer "
                f"calls it {evidence.operating_status}: our way there is cut"
            ),
        )
    if evidence.instance_status == "ACTIVE" and _nobody_at_all(evidence):
        return Finding(
            diagnosis=Diagnosis.BLIND,
            saw=(
                f"none of {len(evidence.probes)} probes of the member, {len(evidence.peer_probes)} of its peers and "
                f"{len(evidence.front_probes)} of the load balancer met anybody: our way there is cut, or all of it is down"
            ),
            # A load balancer is silent, too, until it has noticed that its last member hangs.
            again=True,
        )
    return None


def _nobody_at_all(evidence: MemberEvidence) -> bool:
    """
    Whether everybody was asked, the load balancer too, and no machine at all let itself be heard.
    """
    asked = evidence.probes + evidence.peer_probes + evidence.front_probes
    return (
        bool(evidence.probes)
        and bool(evidence.front_probes)
        and all(probe.answer in UNHEARD for probe in asked)
    )
