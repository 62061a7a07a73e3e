"""
What is known about one member, dated: the only thing that diagnosis looks at.

Absent data is None or an empty tuple and means "not known", never "good" and never "bad".
"""

from __future__ import annotations

from datetime import datetime
from statistics import median

from fournines.model.probing import Answer, ProbeResult
from fournines.model.value import Value

SILENCE = frozenset({Answer.SILENT})
NOBODY = frozenset({Answer.REFUSED, Answer.UNREACHABLE})


class Measures(Value):
    """
    What Prometheus says about a member; each None when there is no fresh sample.

    Attributes:
        error_ratio: Share of 5xx among its answers at the load balancer over some ten seconds.
        latency_seconds: Its average response time.
        pool_latency_seconds: The pool's median of the same.
        sessions: Requests in flight.
        scrape_up: Whether Prometheus reaches its metrics page.
    """

    at: datetime
    error_ratio: float | None = None
    request_rate: float | None = None
    latency_seconds: float | None = None
    pool_latency_seconds: float | None = None
    sessions: float | None = None
    scrape_up: bool | None = None


class MemberEvidence(Value):
    """
    One instance in one slot, as seen by the cloud, the load balancer, Prometheus and ourselves.

    Attributes:
        instance_status: Nova's word; None when Nova was read and knows no such instance.
        cloud_read: Whether the cloud could be read at all.
        operating_status: Octavia's word for the member; None when it is in no pool.
        pooled: Whether its group belongs in a pool at all. A batch worker does not: its own answers are all there is.
        users_wait: Whether our probes go where users go: what they take, users take. A page beside a database says that it lives, and how long it takes
            is nobody's wait.
        user_probes: Requests to a path that users use, oldest first.
        health_probes: Requests to the health check's path, oldest first.
        peer_probes: Requests to the users' path of the group's other members in the same moments.
        front_probes: Requests through the load balancer, as users make them.
        peer_statuses: Octavia's words for the pool's other members.
        firing: Names of alerts that fire for this member.
    """

    at: datetime
    instance: str
    instance_status: str | None
    cloud_read: bool = True
    fault: str | None = None
    operating_status: str | None = None
    weight: int | None = None
    pooled: bool = True
    users_wait: bool = True
    user_probes: tuple[ProbeResult, ...] = ()
    health_probes: tuple[ProbeResult, ...] = ()
    peer_probes: tuple[ProbeResult, ...] = ()
    front_probes: tuple[ProbeResult, ...] = ()
    peer_statuses: tuple[str, ...] = ()
    measures: Measures | None = None
    firing: tuple[str, ...] = ()

    @property
    def probes(self) -> tuple[ProbeResult, ...]:
        """
        All our own probes of the member.
        """
        return self.user_probes + self.health_probes

    @property
    def bad_user_probes(self) -> tuple[ProbeResult, ...]:
        """
        Requests that a user would have called failed.
        """
        return tuple(probe for probe in self.user_probes if not probe.good)

    @property
    def bad_health_probes(self) -> tuple[ProbeResult, ...]:
        """
        Health checks that failed.
        """
        return tuple(probe for probe in self.health_probes if not probe.good)

    @property
    def peer_seconds(self) -> float | None:
        """
        The median of what users wait at the other members; None without a good peer.
        """
        waits = [probe.seconds for probe in self.peer_probes if probe.good]
        return median(waits) if waits else None

    @property
    def peers_silent(self) -> bool:
        """
        There are peers, and none of them answers us with anything.
        """
        return bool(self.peer_probes) and all(
            probe.answer is not Answer.STATUS for probe in self.peer_probes
        )

    @property
    def error_ratio(self) -> float | None:
        """
        The measured share of 5xx, if there is one.
        """
        return self.measures.error_ratio if self.measures else None
