"""
Server groups. Nova gives them neither tags nor metadata: what is ours is known by name, and by the registry above us.
"""

from __future__ import annotations

import contextlib
from typing import Any

from fournines.cloud.errors import NameTaken, ResourceMissing
from fournines.cloud.openstack.base import Base, until
from fournines.model.inventory import ServerGroup
from fournines.model.specification import ServerGroupSpec

Body = dict[str, Any]

MICROVERSION = "2.15"
"""The lowest that knows soft policies; `policies` is a list in it."""


class ServerGroups(Base):
    """
    The part of the adapter that makes and deletes server groups.
    """

    def ensure_server_group(
        self, spec: ServerGroupSpec, *, deadline_seconds: float
    ) -> ServerGroup:
        attempted = f"creating server group {spec.name}"

        def unit() -> Body:
            for body in self.server_groups(attempted):
                if body["name"] != spec.name:
                    continue
                if spec.policy not in body["policies"]:
                    raise NameTaken(
                        attempted,
                        f"one of that name has the policy {body['policies']}",
                        "Rename or delete it",
                    )
                return body
            made: Body = self.connection.send(
                "POST",
                "compute",
                "/os-server-groups",
                attempted,
                body={"server_group": {"name": spec.name, "policies": [spec.policy]}},
                microversion=MICROVERSION,
            )["server_group"]
            return made

        body = self.retried(unit, until=until(deadline_seconds))
        self.known.put("server_group", spec.name, body["id"])
        return ServerGroup(
            id=body["id"], name=spec.name, owner=spec.owner, policy=spec.policy
        )

    def server_groups(self, attempted: str) -> list[Body]:
        """
        All of the project.
        """
        return self.connection.listing(
            "compute",
            "/os-server-groups",
            "server_groups",
            attempted,
            microversion=MICROVERSION,
        )

    def server_group_id(self, name: str, attempted: str) -> str:
        """
        Its id. Raises ResourceMissing.
        """
        known = self.known.get("server_group", name)
        if known is None:
            for body in self.server_groups(attempted):
                self.known.put("server_group", body["name"], body["id"])
            known = self.known.get("server_group", name)
        if known is None:
            raise ResourceMissing(attempted, f"there is no server group {name}")
        return str(known)

    def delete_server_group(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting server group {name}"

        def unit() -> None:
            for body in self.server_groups(attempted):
                if body["name"] == name:
                    with contextlib.suppress(ResourceMissing):
                        self.connection.send(
                            "DELETE",
                            "compute",
                            f"/os-server-groups/{body['id']}",
                            attempted,
                        )

        self.retried(unit, until=until(deadline_seconds))
        self.known.forget("server_group", name)
