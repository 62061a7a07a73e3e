"""
Floating IPs on load balancers. They have no name in Neutron: ours stands first in the description.
"""

from __future__ import annotations

from fournines.cloud.errors import ResourceMissing
from fournines.cloud.openstack import marks
from fournines.cloud.openstack.base import Context, until
from fournines.cloud.openstack.networks import Networks
from fournines.cloud.openstack.neutron import Body, Neutron
from fournines.cloud.openstack.octavia import Octavia
from fournines.model.inventory import FloatingIp
from fournines.model.ownership import Owner
from fournines.model.specification import FloatingIpSpec


class FloatingIps(Neutron):
    """
    The part of the adapter that makes and deletes floating IPs.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._networks = Networks(context)
        self._balancers = Octavia(context)

    def ensure_floating_ip(
        self, spec: FloatingIpSpec, *, deadline_seconds: float
    ) -> FloatingIp:
        attempted = f"creating floating IP {spec.name}"
        return self.retried(
            lambda: self._floating_ip(spec, attempted), until=until(deadline_seconds)
        )

    def _floating_ip(self, spec: FloatingIpSpec, attempted: str) -> FloatingIp:
        port = self._balancers.vip_port(spec.load_balancer, attempted)
        body = self._named(spec.name, spec.owner, attempted)
        if body is None:
            outside = self._networks.external_network(spec.external_network, attempted)
            body = self.make(
                "floatingips",
                {
                    "floating_network_id": outside,
                    "port_id": port,
                    "description": marks.described(spec.owner, spec.name),
                },
                attempted,
            )
        elif body["port_id"] != port:
            body = self.change("floatingips", body["id"], {"port_id": port}, attempted)
        self.tag("floatingips", body, spec.owner, attempted)
        return floating_ip(body)

    def _named(self, name: str, wanted: Owner | None, attempted: str) -> Body | None:
        found = [
            body
            for body in self.listed("floatingips", attempted)
            if marks.described_name(body) == name
        ]
        return self.pick("floatingips", found, wanted, attempted)

    def entrances(self, load_balancer: str) -> tuple[str, ...]:
        attempted = f"reading the addresses of {load_balancer}"

        def unit() -> tuple[str, ...]:
            body = self._balancers.look_balancer(load_balancer, None, attempted)
            if body is None or not body.get("vip_address"):
                raise ResourceMissing(
                    attempted, f"there is no load balancer {load_balancer}"
                )
            outside = self.listed(
                "floatingips", attempted, port_id=body.get("vip_port_id")
            )
            return (
                str(body["vip_address"]),
                *(str(one["floating_ip_address"]) for one in outside),
            )

        return self.retried(unit)

    def delete_floating_ip(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting floating IP {name}"

        def unit() -> None:
            body = self._named(name, None, attempted)
            if body:
                self.remove("floatingips", body["id"], attempted)

        self.retried(unit, until=until(deadline_seconds))


def floating_ip(body: Body) -> FloatingIp:
    """
    A floating IP as the domain knows it.
    """
    return FloatingIp(
        id=body["id"],
        name=marks.described_name(body),
        owner=marks.owner(body),
        address=body["floating_ip_address"],
        port_id=body.get("port_id"),
    )
