"""
What engines may look at besides the member's own evidence: the platform's picture, and how the service around it does.

Put together at the edge, dated, a value. Whatever nobody could read is None or empty; no engine decides on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fournines.model import names
from fournines.model.case import Subject
from fournines.model.cluster import ClusterMember, ClusterView
from fournines.model.desired import HealingLimits, Service
from fournines.model.probing import ProbeResult
from fournines.model.transaction import Transaction
from fournines.model.value import Value
from healing.pattern import MemberState, Pattern, Share


class Load(Value):
    """
    How much a service is asked for. None: not measured.

    Attributes:
        request_rate: Requests per second at the load balancer now.
        usual_rate: The last hour's average.
        arriving_rate: Requests per second that the members themselves count: a witness beside the load balancer.
    """

    request_rate: float | None = None
    usual_rate: float | None = None
    arriving_rate: float | None = None


USUAL_LIMITS = HealingLimits()
"""As a group has them that says nothing."""

NOT_MEASURED = Load()
"""Nobody said anything about load."""


class BalancerState(Value):
    """
    The service's load balancer, from its API and from our own requests to its address.

    Attributes:
        failover_stopped: Octavia has given up failing it over by itself: a person decides.
        probes: Requests to a page that users use, through the load balancer, oldest first.
    """

    name: str
    provisioning_status: str
    operating_status: str
    failover_stopped: bool = False
    probes: tuple[ProbeResult, ...] = ()

    @property
    def pending(self) -> bool:
        """
        Somebody changes it at this moment.
        """
        return self.provisioning_status.startswith("PENDING")


@dataclass(frozen=True, slots=True)
class Dependency:
    """
    A service that the subject's service depends on, directly or not.

    Attributes:
        depth: 1 for what it depends on itself, 2 for what that depends on, and so on.
        burning: Alerts say that its users are hurt.
        failing: Our own last transactions through it failed: its users get nothing, some seconds before any alert can say so.
        case_id: An open case of it, if there is one.
    """

    service: str
    depth: int
    share: Share
    burning: bool = False
    case_id: str | None = None
    failing: bool = False

    @property
    def down(self) -> bool:
        """
        Nobody of it is well, or at least half are unwell, or its own users are hurt.
        """
        return (
            self.burning
            or self.failing
            or (self.share.known > 0 and self.share.ratio >= 0.5)
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """
    The surroundings of one member.

    Attributes:
        burning: Alerts say that the service's own budget burns.
        flaps: When alarms about the slot turned out to be nothing, since its last healing.
        released_at: When the release that is asked for now was asked for first; None when it has no predecessor to go back to.
        previous: The service as it was asked for then.
        rolled_back: Within the last hour it was rolled back already.
        stateful: The group's members are a cluster.
        cluster: What it says of itself; None where nobody could say.
        tried: What the last transactions of our own through the load balancer came to, oldest first.
    """

    now: datetime
    subject: Subject
    pattern: Pattern
    load: Load = NOT_MEASURED
    balancer: BalancerState | None = None
    dependencies: tuple[Dependency, ...] = ()
    burning: bool = False
    flaps: tuple[datetime, ...] = ()
    limits: HealingLimits = USUAL_LIMITS
    released_at: datetime | None = None
    previous: Service | None = None
    rolled_back: bool = False
    stateful: bool = False
    cluster: ClusterView | None = None
    tried: tuple[Transaction, ...] = ()

    @property
    def member(self) -> MemberState | None:
        """
        The subject in the picture.
        """
        return self.pattern.member(self.subject.instance)

    @property
    def group(self) -> Pattern:
        """
        The subject's group in the picture.
        """
        return self.pattern.of_group(self.subject.service, self.subject.group or "")

    @property
    def slot_name(self) -> str:
        """
        What the subject's member is called in its cluster.
        """
        subject = self.subject
        return names.slot(
            subject.platform, subject.service, subject.group or "", subject.slot or 0
        )

    @property
    def in_cluster(self) -> ClusterMember | None:
        """
        The subject in its cluster.
        """
        return self.cluster.member(self.slot_name) if self.cluster else None
