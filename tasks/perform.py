"""
A step's do and its undo, side by side: everything Fournines does to a cloud goes through here.

Nothing is decided here. Every do is idempotent because the cloud's door is (fournines.cloud.protocol), and so is every undo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from fournines.model.inventory import (
    FloatingIp,
    Instance,
    LoadBalancer,
    Port,
    Resource,
)
from fournines.model.specification import MemberSpec
from fournines.planning import steps
from fournines.planning.steps import Step
from tasks import contents, membership, references
from tasks.serving import await_serving
from tasks.unsealing import withdraw
from tasks.workshop import Workshop

Facts = dict[str, JsonValue]
"""What a step found or made: ids and addresses, for the journal and for people."""


def do(step: Step, workshop: Workshop) -> Facts:  # noqa: C901  one case a kind
    """
    Perform a step.

    Raises:
        CloudError: The cloud could not.
    """
    cloud = workshop.cloud
    seconds = step.deadline_seconds
    match step:
        case steps.JoinPool():
            cloud.join_pool(
                step.load_balancer, step.pool, step.members, deadline_seconds=seconds
            )
        case steps.LeavePool():
            cloud.leave_pool(
                step.load_balancer, step.pool, step.instances, deadline_seconds=seconds
            )
        case steps.SetWeight():
            cloud.set_weight(
                step.load_balancer,
                step.pool,
                step.instance,
                step.weight,
                deadline_seconds=seconds,
            )
        case steps.AwaitServing():
            await_serving(step, workshop)
        case steps.Drain():
            workshop.clock.sleep(step.wait_seconds)
        case steps.RestartInstance():
            cloud.restart_instance(step.instance, deadline_seconds=seconds)
        case steps.FailOverLoadBalancer():
            cloud.failover_load_balancer(step.load_balancer, deadline_seconds=seconds)
        case steps.WithdrawKey():
            withdraw(step, workshop)
        case steps.DeleteInstance():
            cloud.delete_instance(step.instance, deadline_seconds=seconds)
        case steps.DeleteResource():
            _deleter(step.resource, workshop)(step.name, seconds)
        case _:
            return _member_or_made(step, workshop)
    return {}


def _member_or_made(step: Step, workshop: Workshop) -> Facts:
    match step:
        case steps.PrepareLeave():
            membership.prepare_leave(step, workshop)
        case steps.AwaitMember():
            membership.await_member(step, workshop)
        case steps.ForgetMember():
            membership.forget_member(step, workshop)
        case steps.RestartMember():
            contents.restart(step, workshop)
        case steps.SwitchOver():
            return {"leads": contents.switch_over(step, workshop)}
        case steps.ApplyContents():
            return {"changed": list(contents.apply(step, workshop))}
        case _:
            return _facts(_ensure(step, workshop))
    return {}


def undo(step: Step, workshop: Workshop) -> bool:
    """
    Take a step back, whether it had taken effect or not. False: it has no undo (its kind says why).

    What a step may merely have found (volumes) or cannot be taken back (deletions, restarts) is left as it is.

    Raises:
        CloudError: The cloud could not.
    """
    cloud = workshop.cloud
    seconds = step.deadline_seconds
    match step:
        case steps.EnsureInstance():
            cloud.delete_instance(step.spec.name, deadline_seconds=seconds)
        case (
            steps.EnsureNetwork()
            | steps.EnsureSecurityGroup()
            | steps.EnsureServerGroup()
            | steps.EnsurePort()
            | steps.EnsureLoadBalancer()
            | steps.EnsureFloatingIp()
        ):
            _deleter(resource_kind(step), workshop)(step.spec.name, seconds)
        case steps.JoinPool():
            names = [member.instance for member in step.members]
            cloud.leave_pool(
                step.load_balancer, step.pool, names, deadline_seconds=seconds
            )
        case steps.LeavePool():
            members = _members_as_desired(step, workshop)
            cloud.join_pool(
                step.load_balancer, step.pool, members, deadline_seconds=seconds
            )
        case steps.SetWeight():
            cloud.set_weight(
                step.load_balancer,
                step.pool,
                step.instance,
                step.weight_before,
                deadline_seconds=seconds,
            )
        case steps.PrepareLeave():
            membership.stay(step, workshop)
        case _:
            return False
    return True


def resource_kind(step: Step) -> str:
    """
    The registry's word for what a step makes or deletes; empty when it does neither.
    """
    match step:
        case steps.DeleteInstance():
            return "instance"
        case steps.DeleteResource():
            return step.resource
        case _ if step.kind.startswith("ensure-"):
            return step.kind.removeprefix("ensure-")
        case _:
            return ""


def resource_name(step: Step) -> str:
    """
    The name of what a step makes or deletes; empty when it does neither.
    """
    match step:
        case steps.DeleteInstance():
            return step.instance
        case steps.DeleteResource():
            return step.name
        case _:
            spec = getattr(step, "spec", None)
            return "" if spec is None else str(spec.name)


def _ensure(step: Step, workshop: Workshop) -> Resource:  # noqa: PLR0911  one return a kind
    cloud = workshop.cloud
    seconds = step.deadline_seconds
    match step:
        case steps.EnsureNetwork():
            return cloud.ensure_network(step.spec, deadline_seconds=seconds)
        case steps.EnsureSecurityGroup():
            return cloud.ensure_security_group(step.spec, deadline_seconds=seconds)
        case steps.EnsureServerGroup():
            return cloud.ensure_server_group(step.spec, deadline_seconds=seconds)
        case steps.EnsureVolume():
            return cloud.ensure_volume(step.spec, deadline_seconds=seconds)
        case steps.EnsurePort():
            return cloud.ensure_port(step.spec, deadline_seconds=seconds)
        case steps.EnsureInstance():
            spec = references.resolved(step.spec, workshop)
            return cloud.ensure_instance(spec, deadline_seconds=seconds)
        case steps.EnsureLoadBalancer():
            return cloud.ensure_load_balancer(step.spec, deadline_seconds=seconds)
        case steps.EnsureFloatingIp():
            return cloud.ensure_floating_ip(step.spec, deadline_seconds=seconds)
        case _:
            raise AssertionError(f"{step.kind} makes nothing")


def _deleter(resource: str, workshop: Workshop) -> Callable[[str, float], None]:
    cloud = workshop.cloud
    calls: Mapping[str, Callable[..., None]] = {
        "volume": cloud.delete_volume,
        "load-balancer": cloud.delete_load_balancer,
        "floating-ip": cloud.delete_floating_ip,
        "port": cloud.delete_port,
        "security-group": cloud.delete_security_group,
        "server-group": cloud.delete_server_group,
        "network": cloud.delete_network,
    }
    call = calls[resource]
    return lambda name, seconds: call(name, deadline_seconds=seconds)


def _members_as_desired(
    step: steps.LeavePool, workshop: Workshop
) -> tuple[MemberSpec, ...]:
    found = [
        membership
        for platform in workshop.store.registry.platforms()
        for service in platform.services
        for group in service.groups
        for membership in group.memberships
        if (membership.load_balancer, membership.pool)
        == (step.load_balancer, step.pool)
    ]
    return tuple(
        MemberSpec(
            instance=name, port=found[0].port, monitor_port=found[0].monitor_port
        )
        for name in step.instances
        if found
    )


def _facts(made: Resource) -> Facts:
    facts: Facts = {"id": made.id, "name": made.name}
    match made:
        case Instance():
            facts |= {"address": made.address, "zone": made.zone}
        case LoadBalancer():
            facts |= {"address": made.vip_address}
        case FloatingIp() | Port():
            facts |= {"address": made.address}
    return facts
