"""
Waiting until instances serve: our own probe of each, and the load balancer's word, held for a while.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fournines.cloud.errors import DeadlinePassed
from fournines.model.inventory import Member, Pool
from fournines.planning.pools import SERVING_STATUSES
from fournines.planning.steps import AwaitServing
from tasks.workshop import Workshop

PROBE_TIMEOUT_MS = 1_000
"""A page that takes longer than a second is not served."""

_PROBES_AT_ONCE = 16


def await_serving(step: AwaitServing, workshop: Workshop) -> None:
    """
    Return once all instances of the step have served for its `hold_seconds`. When time is up, those that serve may serve that long yet:
    slow answers of the cloud are no failure of theirs.

    Raises:
        DeadlinePassed: They did not in time; the message names the first few and what is wrong with each.
    """
    clock = workshop.clock
    deadline = clock.now() + timedelta(seconds=step.deadline_seconds)
    good_since: datetime | None = None
    while True:
        complaints = _complaints(step, workshop)
        now = clock.now()
        if complaints:
            good_since = None
        else:
            good_since = good_since or now
            if (now - good_since).total_seconds() >= step.hold_seconds:
                return
        if complaints and now >= deadline:
            raise DeadlinePassed(
                f"waiting until {len(step.instances)} instances of {step.pool} serve",
                "; ".join(complaints[:3]),
                "Look at their consoles: openstack console log show INSTANCE",
            )
        clock.sleep(workshop.settings.poll_seconds)


def _complaints(step: AwaitServing, workshop: Workshop) -> list[str]:
    pool = workshop.cloud.pool(step.load_balancer, step.pool)
    missing = [name for name in step.instances if pool.member(name) is None]
    if missing:
        return [f"{name} is not in the pool" for name in missing]
    silent = _unanswered(step, pool, workshop)
    if silent or step.role is not None:
        return silent
    return [
        f"the load balancer calls {member.name} {member.operating_status}"
        for member in _members(step, pool)
        if member.operating_status not in SERVING_STATUSES and not _is_ready(member)
    ]


def _is_ready(member: Member) -> bool:
    """
    Its checks pass and its weight is 0: it serves as soon as it gets its weight back. HAProxy calls one whose checks fail DOWN, not DRAIN.
    """
    return member.weight == 0 and member.operating_status == "DRAINING"


def _members(step: AwaitServing, pool: Pool) -> list[Member]:
    return [member for member in pool.members if member.name in step.instances]


def _unanswered(step: AwaitServing, pool: Pool, workshop: Workshop) -> list[str]:
    if step.probe_path is None:
        return []
    path = step.probe_path

    def ask(member: Member) -> str | None:
        port = step.probe_port or member.port
        seen = workshop.prober.probe(
            member.address,
            port,
            path,
            timeout_ms=PROBE_TIMEOUT_MS,
            scheme=step.probe_scheme,
        )
        if seen.good:
            return None
        said = f"{seen.answer} {seen.status}" if seen.status else str(seen.answer)
        url = f"{step.probe_scheme}://{member.address}:{port}{path}"
        return f"{member.name} answers {url} by {said}"

    members = _members(step, pool)
    count = min(_PROBES_AT_ONCE, max(1, len(members)))
    with workshop.crew.hands(count, "serving") as threads:
        return [said for said in threads.map(ask, members) if said]
