"""
Members of pools: joined and removed in one change each, weighed in one call when their ids are known.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from fournines.cloud.errors import ResourceMissing
from fournines.cloud.openstack import balancing
from fournines.cloud.openstack.base import Context
from fournines.cloud.openstack.instances import Instances
from fournines.cloud.openstack.octavia import Octavia
from fournines.model.inventory import Pool
from fournines.model.specification import MemberSpec
from fournines.model.standby import standing_by

Body = dict[str, Any]


class Members(Octavia):
    """
    The part of the adapter that changes who serves.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._instances = Instances(context)

    def pool(self, load_balancer: str, pool: str) -> Pool:
        attempted = f"reading pool {pool}"

        def unit() -> Pool:
            number = self.pool_id(load_balancer, pool, attempted)
            found = self.members_of(number, attempted)
            self.remember_members(load_balancer, pool, found)
            return self._in_its_role(load_balancer, number, pool, found)

        try:
            return self.retried(unit)
        except ResourceMissing:
            self.forget_balancer(load_balancer, pool)
            return self.retried(unit)

    def _in_its_role(
        self, load_balancer: str, number: str, pool: str, found: Sequence[Body]
    ) -> Pool:
        """
        The pool, its members read beside those of the same service's other roles.
        """
        key = f"{load_balancer}/{pool}"
        role, beside = self.known.get("roles", key) or (None, ())
        attempted = f"reading pool {pool}"
        read = balancing.read_pool({"id": number, "name": pool}, found)
        others = [
            balancing.read_pool(one, self.members_of(one["id"], attempted))
            for one in beside
        ]
        return standing_by([read.model_copy(update={"role": role}), *others])[0]

    def join_pool(
        self,
        load_balancer: str,
        pool: str,
        members: Sequence[MemberSpec],
        *,
        deadline_seconds: float,
    ) -> None:
        attempted = f"adding members to pool {pool}"

        def work(end: float) -> None:
            balancer = self.balancer(load_balancer, attempted)
            number = self.pool_id(load_balancer, pool, attempted)
            addresses = self.retried(
                lambda: self._instances.addresses(
                    [one.instance for one in members], attempted
                ),
                until=end,
            )
            wanted = [
                balancing.member(
                    one, addresses[one.instance], balancer.get("vip_subnet_id")
                )
                for one in members
            ]
            self.changed(
                balancer["id"],
                attempted,
                end,
                lambda: self.octavia(
                    "PUT",
                    f"pools/{number}/members",
                    attempted,
                    {"members": wanted},
                    additive_only="true",
                ),
            )

        if members:
            self.refreshed(load_balancer, pool, deadline_seconds, work)

    def leave_pool(
        self,
        load_balancer: str,
        pool: str,
        instances: Sequence[str],
        *,
        deadline_seconds: float,
    ) -> None:
        attempted = f"removing members from pool {pool}"

        def work(end: float) -> None:
            balancer = self.balancer(load_balancer, attempted)
            number = self.pool_id(load_balancer, pool, attempted)
            self.changed(
                balancer["id"],
                attempted,
                end,
                lambda: self._leave(number, set(instances), attempted),
            )

        if instances:
            self.refreshed(load_balancer, pool, deadline_seconds, work)
            for name in instances:
                self.known.forget("member", f"{load_balancer}/{pool}/{name}")

    def _leave(self, pool: str, leaving: set[str], attempted: str) -> None:
        """
        One leaves by a delete, which no other process's change can get between; several by one update of the rest.
        """
        present = self.members_of(pool, attempted)
        going = [body for body in present if body["name"] in leaving]
        if len(going) == 1:
            with contextlib.suppress(ResourceMissing):
                self.octavia(
                    "DELETE", f"pools/{pool}/members/{going[0]['id']}", attempted
                )
        elif going:
            staying = [
                balancing.kept(body) for body in present if body["name"] not in leaving
            ]
            self.octavia(
                "PUT", f"pools/{pool}/members", attempted, {"members": staying}
            )

    def set_weight(
        self,
        load_balancer: str,
        pool: str,
        instance: str,
        weight: int,
        *,
        deadline_seconds: float,
    ) -> None:
        attempted = f"setting the weight of {instance} to {weight}"

        def work(end: float) -> None:
            balancer = self.balancer(load_balancer, attempted)["id"]
            number = self.pool_id(load_balancer, pool, attempted)
            member = self._member_id(load_balancer, pool, instance, attempted)
            try:
                self.changed(
                    balancer,
                    attempted,
                    end,
                    lambda: self.octavia(
                        "PUT",
                        f"pools/{number}/members/{member}",
                        attempted,
                        {"member": {"weight": weight}},
                    ),
                )
            except ResourceMissing:
                key = f"{load_balancer}/{pool}/{instance}"
                self.known.forget("member", key)
                raise

        self.refreshed(load_balancer, pool, deadline_seconds, work)

    def _member_id(
        self, load_balancer: str, pool: str, instance: str, attempted: str
    ) -> str:
        key = f"{load_balancer}/{pool}/{instance}"
        known = self.known.get("member", key)
        if known is None:
            number = self.pool_id(load_balancer, pool, attempted)
            found = self.retried(lambda: self.members_of(number, attempted))
            self.remember_members(load_balancer, pool, found)
            known = self.known.get("member", key)
        if known is None:
            raise ResourceMissing(attempted, f"{instance} is not in pool {pool}")
        return str(known)
