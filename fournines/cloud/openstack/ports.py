"""
Ports that outlive instances: a slot's address. Nova gives such a port back when it deletes the instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fournines.cloud.errors import ResourceMissing
from fournines.cloud.openstack import marks
from fournines.cloud.openstack.base import until
from fournines.cloud.openstack.neutron import Body, Neutron
from fournines.model.inventory import Port
from fournines.model.specification import PortSpec


class Ports(Neutron):
    """
    The part of the adapter that makes and deletes ports.
    """

    def ensure_port(self, spec: PortSpec, *, deadline_seconds: float) -> Port:
        attempted = f"creating port {spec.name}"
        return self.retried(
            lambda: self._port(spec, attempted), until=until(deadline_seconds)
        )

    def _port(self, spec: PortSpec, attempted: str) -> Port:
        guards = [
            self._id_of("security-groups", name, attempted)
            for name in spec.security_groups
        ]
        body = self.look("ports", spec.name, spec.owner, attempted)
        if body is None:
            wanted: dict[str, Any] = {
                "name": spec.name,
                "description": marks.described(spec.owner),
                "network_id": self._id_of("networks", spec.network, attempted),
            }
            if guards:
                wanted["security_groups"] = guards
            body = self.make("ports", wanted, attempted)
        elif guards and set(body.get("security_groups") or ()) != set(guards):
            body = self.change(
                "ports", body["id"], {"security_groups": guards}, attempted
            )
        self.tag("ports", body, spec.owner, attempted)
        return port(body).model_copy(update={"owner": spec.owner})

    def _id_of(self, resource: str, name: str, attempted: str) -> str:
        found = self.listed(resource, attempted, name=name, fields=("id",))
        if not found:
            noun = resource.replace("-", " ").removesuffix("s")
            raise ResourceMissing(attempted, f"there is no {noun} {name}")
        return str(found[0]["id"])

    def port_addresses(self, names: Sequence[str]) -> dict[str, str]:
        attempted = "reading addresses of ports"

        def unit() -> dict[str, str]:
            found = self.listed("ports", attempted, name=list(names)) if names else []
            known = {
                body["name"]: port(body).address for body in found if marks.owner(body)
            }
            for name in names:
                if not known.get(name):
                    raise ResourceMissing(attempted, f"there is no port {name}")
            return {name: str(known[name]) for name in names}

        return self.retried(unit)

    def port_id(self, name: str, attempted: str) -> str:
        """
        The id of a port of ours. Raises ResourceMissing.
        """
        body = self.look("ports", name, None, attempted)
        if body is None:
            raise ResourceMissing(attempted, f"there is no port {name}")
        return str(body["id"])

    def delete_port(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting port {name}"

        def unit() -> None:
            body = self.look("ports", name, None, attempted)
            if body:
                self.remove("ports", body["id"], attempted)

        self.persistently(unit, until=until(deadline_seconds))


def port(body: Body) -> Port:
    """
    A port as the domain knows it.
    """
    addresses = [one["ip_address"] for one in body.get("fixed_ips") or ()]
    return Port(
        id=body["id"],
        name=body["name"],
        owner=marks.owner(body),
        address=addresses[0] if addresses else None,
        attached_to=body.get("device_id") or None,
    )
