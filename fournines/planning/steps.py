"""
The closed union of step kinds: everything Fournines can do to a cloud, each naming its undo.

A step is specific: whoever performs it has nothing left to decide. Each kind is idempotent (fournines.cloud.protocol), so a step
whose outcome is unknown after a crash is simply performed again.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fournines.model.probing import Scheme
from fournines.model.specification import (
    FloatingIpSpec,
    InstanceSpec,
    LoadBalancerSpec,
    MemberSpec,
    NetworkSpec,
    PortSpec,
    SecurityGroupSpec,
    ServerGroupSpec,
    VolumeSpec,
)
from fournines.model.value import Value


class StepBase(Value):
    """
    What every step has.

    Attributes:
        id: Unique and deterministic within its plan: "ensure-instance/demo-shop-web-2-g1".
        needs: Ids of the steps that must be done before.
        deadline_seconds: After this the step has failed.
        why: One clause for people: "slot 2 has no instance".
    """

    UNDO: ClassVar[str]
    """The step kind that undoes this one, or "none: <reason>"."""

    id: str
    needs: tuple[str, ...] = ()
    deadline_seconds: float = Field(60, gt=0)
    why: str = ""


class EnsureNetwork(StepBase):
    """Make the platform's network, subnet and router."""

    UNDO: ClassVar[str] = "delete-network"
    kind: Literal["ensure-network"] = "ensure-network"
    spec: NetworkSpec


class EnsureSecurityGroup(StepBase):
    """Make a security group, or bring its rules up to date."""

    UNDO: ClassVar[str] = "delete-security-group"
    kind: Literal["ensure-security-group"] = "ensure-security-group"
    spec: SecurityGroupSpec


class EnsureServerGroup(StepBase):
    """Make a server group."""

    UNDO: ClassVar[str] = "delete-server-group"
    kind: Literal["ensure-server-group"] = "ensure-server-group"
    spec: ServerGroupSpec


class EnsureVolume(StepBase):
    """Make a slot's volume."""

    UNDO: ClassVar[str] = "none: a volume may hold data; destroy deletes it"
    kind: Literal["ensure-volume"] = "ensure-volume"
    spec: VolumeSpec


class EnsurePort(StepBase):
    """Make a slot's port: its address, kept when its instance is replaced."""

    UNDO: ClassVar[str] = "delete-port"
    kind: Literal["ensure-port"] = "ensure-port"
    spec: PortSpec


class EnsureInstance(StepBase):
    """Make an instance."""

    UNDO: ClassVar[str] = "delete-instance"
    kind: Literal["ensure-instance"] = "ensure-instance"
    spec: InstanceSpec


class EnsureLoadBalancer(StepBase):
    """Make a load balancer with listeners and pools, or bring them up to date."""

    UNDO: ClassVar[str] = "delete-load-balancer"
    kind: Literal["ensure-load-balancer"] = "ensure-load-balancer"
    spec: LoadBalancerSpec


class FailOverLoadBalancer(StepBase):
    """Have the load balancer's provider fail it over."""

    UNDO: ClassVar[str] = "none: what it was before did not work"
    kind: Literal["fail-over-load-balancer"] = "fail-over-load-balancer"
    load_balancer: str


class EnsureFloatingIp(StepBase):
    """Give a load balancer an address for the outside."""

    UNDO: ClassVar[str] = "delete-floating-ip"
    kind: Literal["ensure-floating-ip"] = "ensure-floating-ip"
    spec: FloatingIpSpec


class JoinPool(StepBase):
    """Add instances to a pool in one change."""

    UNDO: ClassVar[str] = "leave-pool"
    kind: Literal["join-pool"] = "join-pool"
    load_balancer: str
    pool: str
    members: tuple[MemberSpec, ...]


class AwaitServing(StepBase):
    """
    Wait until instances serve: our own HTTP probe of each answers, and the pool calls them ONLINE (or NO_MONITOR).

    `hold_seconds` is how long that must stay so. `probe_path` None asks the load balancer alone. In a pool that asks for a `role`, being a
    member of it is all that can be waited for.
    """

    UNDO: ClassVar[str] = "none: it changes nothing"
    kind: Literal["await-serving"] = "await-serving"
    load_balancer: str
    pool: str
    instances: tuple[str, ...]
    probe_port: int | None = None
    probe_path: str | None = None
    probe_scheme: Scheme = "http"
    hold_seconds: float = 0.0
    role: str | None = None


class SetWeight(StepBase):
    """Change how much of a pool's traffic a member gets; 0 is none."""

    UNDO: ClassVar[str] = "set-weight"
    kind: Literal["set-weight"] = "set-weight"
    load_balancer: str
    pool: str
    instance: str
    weight: int
    weight_before: int = 1


class Drain(StepBase):
    """Let requests in flight end: wait `wait_seconds` after a weight went to 0."""

    UNDO: ClassVar[str] = "none: it changes nothing"
    kind: Literal["drain"] = "drain"
    instance: str
    wait_seconds: float = 2.0


class LeavePool(StepBase):
    """Take instances out of a pool in one change."""

    UNDO: ClassVar[str] = "join-pool"
    kind: Literal["leave-pool"] = "leave-pool"
    load_balancer: str
    pool: str
    instances: tuple[str, ...]


class RestartInstance(StepBase):
    """Hard reboot, or start."""

    UNDO: ClassVar[str] = "none: a restart cannot be taken back"
    kind: Literal["restart-instance"] = "restart-instance"
    instance: str


class WithdrawKey(StepBase):
    """
    Take the key of an instance's sealed files out of the cloud's API, once the instance has opened them.

    Until it serves, or says on its console that it has, the key stays.
    """

    UNDO: ClassVar[str] = "none: a key that was withdrawn is needed no more"
    kind: Literal["withdraw-key"] = "withdraw-key"
    instance: str
    serves: bool = False


class DeleteInstance(StepBase):
    """Delete an instance."""

    UNDO: ClassVar[str] = "none: instances are cattle; the slot gets a new one"
    kind: Literal["delete-instance"] = "delete-instance"
    instance: str


class DeleteResource(StepBase):
    """Delete any other resource by its name."""

    UNDO: ClassVar[str] = "none: deploying again makes it anew"
    kind: Literal["delete-resource"] = "delete-resource"
    resource: Literal[
        "volume",
        "load-balancer",
        "floating-ip",
        "port",
        "security-group",
        "server-group",
        "network",
    ]
    name: str


class PrepareLeave(StepBase):
    """
    Make it safe to stop a member of a stateful service: its rules are asked again, on a fresh view, and it hands over what it leads.

    Waits within its deadline while time cures what the rules say. An instance that the cloud calls dead or gone has nothing to hand over. One that
    goes `for_good` is counted no more: the quorum is that of those who stay. Members that know nothing of each other may be away `together`. One that is
    `alone` hands over to nobody: a person took the outage.
    """

    UNDO: ClassVar[str] = "stay"
    kind: Literal["prepare-leave"] = "prepare-leave"
    platform: str
    service: str
    group: str
    slot: str
    instance: str
    for_good: bool = False
    together: bool = False
    alone: bool = False


class AwaitMember(StepBase):
    """Wait until the member of a slot is all it should be: in its cluster, caught up, in sync. Then another may leave."""

    UNDO: ClassVar[str] = "none: a member that is in stays in"
    kind: Literal["await-member"] = "await-member"
    platform: str
    service: str
    group: str
    slot: str


class ForgetMember(StepBase):
    """Have a stateful service no longer count a member whose slot is gone for ever."""

    UNDO: ClassVar[str] = "none: a new instance in the slot joins anew"
    kind: Literal["forget-member"] = "forget-member"
    platform: str
    service: str
    group: str
    slot: str


class RestartMember(StepBase):
    """
    Restart the server in a member of a stateful service, its instance stays: how it takes settings that need it.

    Its rules are asked again, on a fresh view; one that is to hand over first has a PrepareLeave before.
    """

    UNDO: ClassVar[str] = "none: a restart cannot be taken back"
    kind: Literal["restart-member"] = "restart-member"
    platform: str
    service: str
    group: str
    slot: str


class SwitchOver(StepBase):
    """
    Have another member of a stateful service lead: the one in the slot `to`, or whom the service would take.

    Its rules are asked first, on a fresh view, whether the one that leads now may be done without.
    """

    UNDO: ClassVar[str] = "none: whoever leads does, and another switchover leads back"
    kind: Literal["switch-over"] = "switch-over"
    platform: str
    service: str
    group: str
    to: str | None = None


class ApplyContents(StepBase):
    """
    Bring what a stateful service holds (users, databases, queues, policies) and its settings to what is asked for.

    What is to be made is read again when it is: `changes` say what was seen lacking.
    """

    UNDO: ClassVar[str] = (
        "none: nothing that holds data is taken away, and the next deploy asks for what it wants"
    )
    kind: Literal["apply-contents"] = "apply-contents"
    platform: str
    service: str
    group: str
    changes: tuple[str, ...] = ()


Step = Annotated[
    EnsureNetwork
    | EnsureSecurityGroup
    | EnsureServerGroup
    | EnsureVolume
    | EnsurePort
    | EnsureInstance
    | WithdrawKey
    | EnsureLoadBalancer
    | EnsureFloatingIp
    | FailOverLoadBalancer
    | JoinPool
    | AwaitServing
    | SetWeight
    | Drain
    | LeavePool
    | RestartInstance
    | DeleteInstance
    | DeleteResource
    | PrepareLeave
    | AwaitMember
    | ForgetMember
    | RestartMember
    | SwitchOver
    | ApplyContents,
    Field(discriminator="kind"),
]
