"""
What the Octavia parts share: finding load balancers and pools, one change at a time, waiting for the end of PENDING.

Octavia answers 409 "immutable" to any change of a load balancer that is still carrying out another, whoever asked for it. Ours
queue on a lock per load balancer; against those of other processes and of Octavia itself a change waits and is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fournines.cloud.errors import (
    CloudBusy,
    CloudRefused,
    ResourceFailed,
    ResourceMissing,
)
from fournines.cloud.openstack import marks
from fournines.cloud.openstack.base import age, chosen, until
from fournines.cloud.openstack.lookups import Lookups
from fournines.model.ownership import Owner

T = TypeVar("T")
Body = dict[str, Any]


class Octavia(Lookups):
    """
    The base of the parts that speak to Octavia.
    """

    def octavia(
        self,
        method: str,
        path: str,
        attempted: str,
        body: Body | None = None,
        **params: Any,
    ) -> Any:
        """
        One request to Octavia.
        """
        return self.connection.send(
            method,
            "load_balancer",
            f"/lbaas/{path}",
            attempted,
            body=body,
            params=params or None,
        )

    def octavia_list(self, resource: str, attempted: str, **filters: Any) -> list[Body]:
        """
        All of a kind in our project.
        """
        return self.connection.listing(
            "load_balancer",
            f"/lbaas/{resource}",
            resource,
            attempted,
            params={"project_id": self.connection.project_id, **filters},
        )

    def look_balancer(
        self, name: str, wanted: Owner | None, attempted: str
    ) -> Body | None:
        """
        Ours of that name, or None. Raises NameTaken.
        """
        found = self.octavia_list("loadbalancers", attempted, name=name)
        body = chosen(
            found,
            owner_of=marks.owner,
            age_of=age,
            wanted=wanted,
            attempted=attempted,
            discard=lambda one: self.octavia(
                "DELETE", f"loadbalancers/{one['id']}", attempted, cascade=True
            ),
        )
        if body:
            self.remember(body)
        return body

    def remember(self, body: Body) -> None:
        """
        Keep what does not change of a load balancer: its ids.
        """
        kept = {key: body.get(key) for key in ("id", "vip_port_id", "vip_subnet_id")}
        self.known.put("balancer", body["name"], kept)

    def balancer(self, name: str, attempted: str) -> Body:
        """
        Its ids. Raises ResourceMissing.
        """
        known = self.known.get("balancer", name)
        if known is None:
            if self.look_balancer(name, None, attempted) is None:
                raise ResourceMissing(attempted, f"there is no load balancer {name}")
            known = self.known.get("balancer", name)
        assert known is not None
        return dict(known)

    def vip_port(self, name: str, attempted: str) -> str:
        """
        The Neutron port of its VIP. Raises ResourceMissing.
        """
        port = self.balancer(name, attempted)["vip_port_id"]
        if not port:
            raise ResourceMissing(attempted, f"{name} has no VIP port yet")
        return str(port)

    def pool_id(self, load_balancer: str, pool: str, attempted: str) -> str:
        """
        A pool's id. Raises ResourceMissing.
        """
        key = f"{load_balancer}/{pool}"
        known = self.known.get("pool", key)
        if known is None:
            number = self.balancer(load_balancer, attempted)["id"]
            found = self.octavia_list("pools", attempted, loadbalancer_id=number)
            self.remember_pools(load_balancer, found)
            known = self.known.get("pool", key)
        if known is None:
            raise ResourceMissing(attempted, f"{load_balancer} has no pool {pool}")
        return str(known)

    def remember_pools(self, load_balancer: str, found: Sequence[Body]) -> None:
        """
        Keep ids of pools, and which stand beside each other as one service's roles.
        """
        roles = [body for body in found if marks.role(body)]
        for body in found:
            key = f"{load_balancer}/{body['name']}"
            self.known.put("pool", key, body["id"])
            beside = [one for one in roles if one is not body] if body in roles else []
            self.known.put("roles", key, (marks.role(body), beside))

    def forget_balancer(self, name: str, pool: str | None = None) -> None:
        """
        What we knew of it is no longer true.
        """
        self.known.forget("balancer", name)
        if pool:
            self.known.forget("pool", f"{name}/{pool}")

    def await_active(self, number: str, attempted: str, end: float) -> Body:
        """
        The load balancer once no change is pending. Raises ResourceFailed when it is in ERROR.
        """

        def look() -> Body | None:
            body: Body = self.octavia("GET", f"loadbalancers/{number}", attempted)[
                "loadbalancer"
            ]
            status = body["provisioning_status"]
            if status == "ERROR":
                parts = self.connection.parts_in_error(number)
                raise ResourceFailed(
                    attempted,
                    f"load balancer {body['name']} is in ERROR"
                    + (f" ({parts})" if parts else ""),
                    "An administrator can fail it over: "
                    f"openstack loadbalancer failover {number}",
                )
            return body if status == "ACTIVE" else None

        return self.poll(attempted, end, look)

    def changed(
        self,
        number: str,
        attempted: str,
        end: float,
        change: Callable[[], T],
    ) -> T:
        """
        One change, sent at once and again whenever the load balancer was busy; until it is carried out.
        """

        def unit() -> T:
            try:
                return change()
            except CloudBusy:
                self.await_active(number, attempted, end)
                raise

        result = self.persistently(unit, until=end)
        self.await_active(number, attempted, end)
        return result

    def members_of(self, pool: str, attempted: str) -> list[Body]:
        """
        A pool's members.
        """
        return self.connection.listing(
            "load_balancer", f"/lbaas/pools/{pool}/members", "members", attempted
        )

    def remember_members(
        self, load_balancer: str, pool: str, found: Sequence[Body]
    ) -> None:
        """
        Keep the ids, so that the first move in an emergency is one call.
        """
        for body in found:
            key = f"{load_balancer}/{pool}/{body['name']}"
            self.known.put("member", key, body["id"])

    def refreshed(
        self,
        load_balancer: str,
        pool: str | None,
        deadline_seconds: float,
        work: Callable[[float], T],
    ) -> T:
        """
        Work on a load balancer under its lock. Ids remembered may be outdated: on a 404 once more, with fresh ones.
        """
        with self.context.lock(load_balancer):
            end = until(deadline_seconds)
            try:
                return work(end)
            except (ResourceMissing, CloudRefused):
                if self.known.get("balancer", load_balancer) is None:
                    raise
                self.forget_balancer(load_balancer, pool)
                return work(end)
