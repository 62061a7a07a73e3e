"""
How steps are written: their ids, deadlines and needs. Deterministic, so that a plan made again reads the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from fournines.model import names
from fournines.model.desired import Membership, Probe, Service
from fournines.model.specification import InstanceSpec, MemberSpec
from fournines.planning.costs import deadline_seconds
from fournines.planning.pools import Place
from fournines.planning.steps import (
    ApplyContents,
    AwaitMember,
    AwaitServing,
    DeleteInstance,
    DeleteResource,
    Drain,
    EnsureInstance,
    ForgetMember,
    JoinPool,
    LeavePool,
    PrepareLeave,
    RestartMember,
    SetWeight,
    WithdrawKey,
)

SERVING_WEIGHT = 1
"""The weight of a member that serves: all alike."""

Deletable = Literal[
    "volume",
    "load-balancer",
    "floating-ip",
    "port",
    "security-group",
    "server-group",
    "network",
]


def ensure_instance(
    spec: InstanceSpec, *, needs: Iterable[str], why: str
) -> EnsureInstance:
    """
    Make one instance.
    """
    return EnsureInstance(
        id=f"ensure-instance/{spec.name}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("ensure-instance"),
        why=why,
        spec=spec,
    )


def withdraw_key(instance: str, *, serves: bool, needs: Iterable[str]) -> WithdrawKey:
    """
    Take the key of an instance's sealed files out of the cloud's API.
    """
    return WithdrawKey(
        id=f"withdraw-key/{instance}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("withdraw-key"),
        why="its sealed files are open",
        instance=instance,
        serves=serves,
    )


def join_pool(
    membership: Membership,
    instances: Sequence[str],
    *,
    label: str,
    needs: Iterable[str],
    why: str,
) -> JoinPool:
    """
    Put instances into a pool, all at once.
    """
    return JoinPool(
        id=f"join-pool/{membership.pool}/{label}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("join-pool"),
        why=why,
        load_balancer=membership.load_balancer,
        pool=membership.pool,
        members=tuple(
            MemberSpec(
                instance=name,
                port=membership.port,
                weight=SERVING_WEIGHT,
                monitor_port=membership.monitor_port,
            )
            for name in instances
        ),
    )


def await_serving(
    membership: Membership,
    probe: Probe | None,
    instances: Sequence[str],
    *,
    label: str,
    needs: Iterable[str],
) -> AwaitServing:
    """
    Wait until instances serve.
    """
    return AwaitServing(
        id=f"await-serving/{membership.pool}/{label}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("await-serving"),
        why="what follows relies on it",
        load_balancer=membership.load_balancer,
        pool=membership.pool,
        instances=tuple(instances),
        probe_port=probe.port if probe else None,
        probe_path=probe.path if probe else None,
        probe_scheme=probe.scheme if probe else "http",
        role=membership.role,
    )


def set_weight(
    place: Place,
    instance: str,
    weight: int,
    *,
    before: int,
    needs: Iterable[str],
    why: str,
) -> SetWeight:
    """
    Change a member's weight.
    """
    return SetWeight(
        id=f"set-weight/{place.pool}/{instance}/{weight}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("set-weight"),
        why=why,
        load_balancer=place.load_balancer,
        pool=place.pool,
        instance=instance,
        weight=weight,
        weight_before=before,
    )


def drain(instance: str, seconds: float, *, needs: Iterable[str]) -> Drain:
    """
    Let an instance's requests end.
    """
    return Drain(
        id=f"drain/{instance}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("drain", waits_seconds=seconds),
        why="requests in flight end",
        instance=instance,
        wait_seconds=seconds,
    )


def leave_pool(
    place: Place,
    instances: Collection[str],
    *,
    label: str,
    needs: Iterable[str],
    why: str,
) -> LeavePool:
    """
    Take instances out of a pool, all at once.
    """
    return LeavePool(
        id=f"leave-pool/{place.pool}/{label}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("leave-pool"),
        why=why,
        load_balancer=place.load_balancer,
        pool=place.pool,
        instances=tuple(instances),
    )


def delete_instance(instance: str, *, needs: Iterable[str], why: str) -> DeleteInstance:
    """
    Delete one instance.
    """
    return DeleteInstance(
        id=f"delete-instance/{instance}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("delete-instance"),
        why=why,
        instance=instance,
    )


def delete_resource(
    resource: Deletable, name: str, *, needs: Iterable[str], why: str
) -> DeleteResource:
    """
    Delete any other resource.
    """
    return DeleteResource(
        id=f"delete-{resource}/{name}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("delete-resource"),
        why=why,
        resource=resource,
        name=name,
    )


def prepare_leave(
    service: Service,
    group: str,
    slot: str,
    instance: str,
    *,
    needs: Iterable[str],
    why: str,
    for_good: bool = False,
    together: bool = False,
    alone: bool = False,
) -> PrepareLeave:
    """
    Make it safe to stop a member.
    """
    return PrepareLeave(
        id=f"prepare-leave/{instance}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("prepare-leave"),
        why=why,
        platform=service.platform,
        service=service.name,
        group=group,
        slot=slot,
        instance=instance,
        for_good=for_good,
        together=together,
        alone=alone,
    )


def await_member(
    service: Service, group: str, slot: str, instance: str, *, needs: Iterable[str]
) -> AwaitMember:
    """
    Wait until an instance, or the server that was restarted in it, is the full member of its slot.
    """
    return AwaitMember(
        id=f"await-member/{instance}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("await-member"),
        why="no other may leave before",
        platform=service.platform,
        service=service.name,
        group=group,
        slot=slot,
    )


def forget_member(
    service: Service, group: str, slot: str, *, needs: Iterable[str], why: str
) -> ForgetMember:
    """
    Have a service no longer count a member.
    """
    return ForgetMember(
        id=f"forget-member/{slot}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("forget-member"),
        why=why,
        platform=service.platform,
        service=service.name,
        group=group,
        slot=slot,
    )


def restart_member(
    service: Service, group: str, slot: str, *, needs: Iterable[str], why: str
) -> RestartMember:
    """
    Restart the server in a member.
    """
    return RestartMember(
        id=f"restart-member/{slot}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("restart-member"),
        why=why,
        platform=service.platform,
        service=service.name,
        group=group,
        slot=slot,
    )


def apply_contents(
    service: Service,
    group: str,
    changes: Iterable[str],
    *,
    needs: Iterable[str],
    why: str,
) -> ApplyContents:
    """
    Have a service hold what is asked for.
    """
    return ApplyContents(
        id=f"apply-contents/{names.of_service(service.platform, service.name, group)}",
        needs=ids(needs),
        deadline_seconds=deadline_seconds("apply-contents"),
        why=why,
        platform=service.platform,
        service=service.name,
        group=group,
        changes=tuple(changes),
    )


def ids(needs: Iterable[str]) -> tuple[str, ...]:
    """
    Each need once, in the order met.
    """
    return tuple(dict.fromkeys(needs))
