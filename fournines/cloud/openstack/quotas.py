"""
What the project may still make: limits less usage, from one read per service, made at once.
"""

from __future__ import annotations

from typing import Any

from fournines.cloud.openstack.octavia import Octavia
from fournines.model.inventory import Quota

Body = dict[str, Any]


class Quotas(Octavia):
    """
    The part of the adapter that reads quotas.
    """

    def quota(self) -> Quota:
        attempted = "reading the project's quotas"
        project = self.retried(lambda: self.connection.project_id)

        def volumes() -> Body:
            if not self.connection.offers("block_storage"):
                return {}
            body: Body = self.connection.get("block_storage", "/limits", attempted)
            absolute: Body = body["limits"]["absolute"]
            return absolute

        nova, neutron, cinder, octavia, balancers = self.together(
            lambda: self.connection.get("compute", "/limits", attempted)["limits"][
                "absolute"
            ],
            lambda: self.connection.get(
                "network", f"/quotas/{project}/details.json", attempted
            )["quota"],
            volumes,
            lambda: self.octavia("GET", f"quotas/{project}", attempted)["quota"],
            lambda: self.octavia_list("loadbalancers", attempted, fields="id"),
        )
        limit = octavia.get("loadbalancer", octavia.get("load_balancer"))
        return Quota(
            instances=_left(nova, "maxTotalInstances", "totalInstancesUsed"),
            cores=_left(nova, "maxTotalCores", "totalCoresUsed"),
            ram_mb=_left(nova, "maxTotalRAMSize", "totalRAMUsed"),
            server_groups=_left(nova, "maxServerGroups", "totalServerGroupsUsed"),
            volumes=_left(cinder, "maxTotalVolumes", "totalVolumesUsed"),
            volume_gb=_left(cinder, "maxTotalVolumeGigabytes", "totalGigabytesUsed"),
            floating_ips=_spare(neutron["floatingip"]),
            networks=_spare(neutron["network"]),
            routers=_spare(neutron["router"]),
            security_groups=_spare(neutron["security_group"]),
            load_balancers=_less(limit, len(balancers)),
        )


def _left(absolute: Body, limit: str, used: str) -> int:
    return _less(absolute.get(limit), absolute.get(used, 0))


def _spare(detail: Body) -> int:
    return _less(detail["limit"], detail["used"] + detail.get("reserved", 0))


def _less(limit: int | None, used: int) -> int:
    """
    -1 is unlimited; a limit a service does not state limits nothing.
    """
    return -1 if limit is None or limit < 0 else max(limit - used, 0)
