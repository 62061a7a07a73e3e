"""
Networks, each with a subnet and a router to the outside; all three bear the network's name.
"""

from __future__ import annotations

from typing import Any

from fournines.cloud.errors import RequestInvalid, ResourceMissing
from fournines.cloud.openstack import marks
from fournines.cloud.openstack.base import until
from fournines.cloud.openstack.neutron import Body, Neutron
from fournines.model.inventory import Network
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec

FALLBACK_CIDR = "10.20.0.0/24"
"""When neither a subnet nor a pool is named and the cloud has no default pool."""


class Networks(Neutron):
    """
    The part of the adapter that makes and deletes networks.
    """

    def ensure_network(self, spec: NetworkSpec, *, deadline_seconds: float) -> Network:
        attempted = f"creating network {spec.name}"
        return self.retried(
            lambda: self._network(spec, attempted), until=until(deadline_seconds)
        )

    def _network(self, spec: NetworkSpec, attempted: str) -> Network:
        net, subnet, router = self._three(spec.name, spec.owner, attempted)
        mark = {"name": spec.name, "description": marks.described(spec.owner)}
        if net is None:
            mtu = {"mtu": spec.mtu} if spec.mtu else {}
            net = self.make("networks", {**mark, **mtu}, attempted)
        if subnet is None:
            subnet = self.make(
                "subnets",
                {
                    **mark,
                    "network_id": net["id"],
                    "ip_version": 4,
                    **self._range(spec, attempted),
                },
                attempted,
            )
        if router is None or not router.get("external_gateway_info"):
            gateway = self.external_network(spec.external_network, attempted)
            outside = {"external_gateway_info": {"network_id": gateway}}
            router = (
                self.make("routers", {**mark, **outside}, attempted)
                if router is None
                else self.change("routers", router["id"], outside, attempted)
            )
        self._join(router, subnet, attempted)
        # The router's tags come last of all: they say that it is joined (is_finished).
        for resource, body in (
            ("networks", net),
            ("subnets", subnet),
            ("routers", router),
        ):
            self.tag(resource, body, spec.owner, attempted)
        self.known.put("network", spec.name, net["id"])
        self.known.put("subnet", spec.name, subnet["id"])
        return network(net, subnet, router)

    def _three(
        self, name: str, wanted: Owner | None, attempted: str
    ) -> list[Body | None]:
        """
        Network, subnet and router of that name, as far as they exist.
        """
        return self.connection.together(
            lambda: self.look("networks", name, wanted, attempted),
            lambda: self.look("subnets", name, wanted, attempted),
            lambda: self.look("routers", name, wanted, attempted),
        )

    def _range(self, spec: NetworkSpec, attempted: str) -> dict[str, Any]:
        """
        The subnet named, else one from the pool named, else one from the cloud's default pool.
        """
        if spec.cidr:
            return {"cidr": spec.cidr}
        wanted = (
            {"name": spec.subnet_pool} if spec.subnet_pool else {"is_default": True}
        )
        pools = self.connection.listing(
            "network",
            "/subnetpools",
            "subnetpools",
            attempted,
            params={**wanted, "ip_version": 4},
        )
        if pools:
            return {"subnetpool_id": pools[0]["id"]}
        if spec.subnet_pool:
            raise ResourceMissing(
                attempted,
                f"there is no subnet pool {spec.subnet_pool}",
                "Name one that `openstack subnet pool list` shows",
            )
        return {"cidr": FALLBACK_CIDR}

    def external_network(self, name: str | None, attempted: str) -> str:
        """
        The id of the external network named, or of the cloud's only or default one.
        """
        found = self.connection.listing(
            "network",
            "/networks",
            "networks",
            attempted,
            params={"router:external": True},
        )
        if name:
            fitting = [net for net in found if net["name"] == name]
        else:
            fitting = [net for net in found if net.get("is_default")] or found
        if len(fitting) == 1:
            return str(fitting[0]["id"])
        wanted = f"an external network {name}" if name else "an external network"
        if not fitting:
            raise ResourceMissing(
                attempted,
                f"there is no {wanted.removeprefix('an ')}",
                "`openstack network list --external` shows what there is",
            )
        names = ", ".join(sorted(net["name"] for net in fitting))
        raise RequestInvalid(
            attempted,
            f"there are several external networks: {names}",
            "Name one as `external_network` of the platform's network",
        )

    def _join(self, router: Body, subnet: Body, attempted: str) -> None:
        """
        The subnet's gateway is the router's interface.
        """
        ports = self.listed(
            "ports", attempted, device_id=router["id"], network_id=subnet["network_id"]
        )
        if not ports:
            self.connection.send(
                "PUT",
                "network",
                f"/routers/{router['id']}/add_router_interface",
                attempted,
                body={"subnet_id": subnet["id"]},
            )

    def delete_network(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting network {name}"
        self.persistently(
            lambda: self._delete(name, attempted), until=until(deadline_seconds)
        )
        for kind in ("network", "subnet"):
            self.known.forget(kind, name)

    def _delete(self, name: str, attempted: str) -> None:
        net, subnet, router = self._three(name, None, attempted)
        if router:
            for port in self.listed("ports", attempted, device_id=router["id"]):
                if port["device_owner"].startswith("network:router_interface"):
                    self._leave(router, port, attempted)
            self.remove("routers", router["id"], attempted)
        if subnet:
            self.remove("subnets", subnet["id"], attempted)
        if net:
            self.remove("networks", net["id"], attempted)

    def _leave(self, router: Body, port: Body, attempted: str) -> None:
        try:
            self.connection.send(
                "PUT",
                "network",
                f"/routers/{router['id']}/remove_router_interface",
                attempted,
                body={"port_id": port["id"]},
            )
        except ResourceMissing:
            return


def is_finished(router: Body) -> bool:
    """
    Whether a router was made to its end: it has its way out, and the tags that are set after it was joined. Where there are no tags, the first
    must do.
    """
    tags = router.get("tags")
    tagged = tags is None or Owner.from_tags(tags) is not None
    return bool(router.get("external_gateway_info")) and tagged


def network(net: Body, subnet: Body | None, router: Body | None) -> Network:
    """
    A network as the domain knows it.
    """
    return Network(
        id=net["id"],
        name=net["name"],
        owner=marks.owner(net),
        subnet_id=subnet["id"] if subnet else None,
        cidr=subnet["cidr"] if subnet else None,
        router_id=router["id"] if router else None,
    )
