"""
Load-balancer trouble: the members answer us, and users do not get through to them.

Either Octavia calls the load balancer ERROR, or our own requests (or transactions, where users speak no HTTP) through its address fail while members
that it should send them to are well. Our requests alone prove little, because our own way to its address may be cut: where the load balancer measures that it passes
requests on, nothing is wrong with it. An error that is answered is no proof while it sends users to a member that is not known to be well: that one
may have said it, through a load balancer that does its work. A load balancer that somebody changes at this moment is looked at again: its own failover
must not be raced.
"""

from __future__ import annotations

from collections.abc import Sequence

from fournines.model.case import Diagnosis
from fournines.model.probing import Answer, ProbeResult
from fournines.model.transaction import failed_lately
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.scene import BalancerState, Load, Scene

ARRIVING_RATIO_MAX = 0.1
"""Of the usual requests: so few reach the members by other ways (our probes) when nobody gets through."""

USUAL_RATE_MIN = 20.0
"""Requests a second: of fewer, a silence of ten seconds proves nothing."""


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the way between users and well members is broken.
    """
    front = scene.balancer
    if front is None or member.diagnosis is not Diagnosis.NOTHING:
        return None
    trouble = _trouble(front, scene)
    if trouble is None:
        return None
    stopped = "; Octavia has stopped failing it over" if front.failover_stopped else ""
    changing = f"; it is {front.provisioning_status}" if front.pending else ""
    return Finding(
        diagnosis=Diagnosis.BALANCER,
        cause=f"load balancer {front.name}",
        saw=f"{trouble}, while the member answers us well{stopped}{changing}",
        # A failover that has just ended looks the same until the load balancer's next checks.
        again=front.pending or scene.stateful,
    )


def _trouble(front: BalancerState, scene: Scene) -> str | None:
    if front.provisioning_status == "ERROR":
        return f"{front.name} is in ERROR"
    if scene.stateful:
        return _transactions(front, scene)
    expected = any(
        m.well and m.weight and m.balancer_alive for m in scene.group.members
    )
    bad = [probe for probe in front.probes if not probe.good]
    if not expected or len(bad) < SAMPLES_MIN or len(bad) < len(front.probes):
        return None
    if users_get_through(front, scene.load) or _may_be_a_members(bad, scene):
        return None
    said = bad[-1].status or bad[-1].answer
    return f"all {len(bad)} requests through {front.name} failed ({said})"


def _may_be_a_members(bad: Sequence[ProbeResult], scene: Scene) -> bool:
    """
    Whether what was answered may have been passed on from a member.
    """
    return any(probe.answer is Answer.STATUS for probe in bad) and any(
        m.weight and m.balancer_alive and not m.well for m in scene.group.members
    )


def _transactions(front: BalancerState, scene: Scene) -> str | None:
    """
    A cluster that is well by its own word, and whose users get nothing.
    """
    view = scene.cluster
    bad = failed_lately(scene.tried, scene.now)
    if not bad or view is None or not view.has_quorum:
        return None
    if not all(one.running and not one.shut for one in view.members):
        return None
    return (
        f"all {len(bad)} transactions through {front.name} failed ({bad[-1].error}), "
        f"and every member of {view.service} runs"
    )


def users_get_through(front: BalancerState, load: Load) -> bool | None:
    """
    Whether others than we get through; None when nobody but we ourselves could say.
    """
    if any(probe.good for probe in front.probes):
        return True
    if any(probe.answer is Answer.STATUS for probe in front.probes):
        return False
    if load.request_rate:
        return True
    if front.operating_status in {"ERROR", "OFFLINE"}:
        return False
    if load.arriving_rate is None or (load.usual_rate or 0.0) < USUAL_RATE_MIN:
        return None
    assert load.usual_rate is not None
    return load.arriving_rate >= ARRIVING_RATIO_MAX * load.usual_rate
