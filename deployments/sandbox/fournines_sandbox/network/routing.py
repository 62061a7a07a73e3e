"""
Neutron's router plugin without agents: the same database code, no scheduling, no messages.

Routers' interfaces and floating IPs report ACTIVE once stored; the reconciler makes them so within milliseconds.
"""

from __future__ import annotations

from typing import Any, ClassVar

from neutron.db import dns_db, extraroute_db, l3_fip_pools_db, l3_fip_port_details, l3_gwmode_db
from neutron.db.models import l3 as models
from neutron.quota import resource_registry
from neutron_lib import constants as neutron_constants
from neutron_lib.api.definitions import (
    extraroute,
    extraroute_atomic,
    fip_port_details,
    floatingip_pools,
    l3,
    l3_ext_gw_mode,
    l3_port_ip_change_not_allowed,
)
from neutron_lib.callbacks import events, registry, resources
from neutron_lib.plugins import constants as plugin_constants
from neutron_lib.plugins import directory
from neutron_lib.services import base


@registry.has_registry_receivers
class RouterPlugin(
    base.ServicePluginBase,
    extraroute_db.ExtraRoute_dbonly_mixin,
    l3_gwmode_db.L3_NAT_dbonly_mixin,
    dns_db.DNSDbMixin,
    l3_fip_port_details.Fip_port_details_db_mixin,
    l3_fip_pools_db.FloatingIPPoolsMixin,
):
    """
    Routers and floating IPs of the embedded cloud.
    """

    supported_extension_aliases: ClassVar[list[str]] = [
        l3.ALIAS,
        l3_ext_gw_mode.ALIAS,
        extraroute.ALIAS,
        extraroute_atomic.ALIAS,
        fip_port_details.ALIAS,
        floatingip_pools.ALIAS,
        l3_port_ip_change_not_allowed.ALIAS,
    ]

    __native_pagination_support = True
    __native_sorting_support = True

    @resource_registry.tracked_resources(router=models.Router, floatingip=models.FloatingIP)
    def __init__(self) -> None:
        super().__init__()

    @classmethod
    def get_plugin_type(cls) -> str:
        """
        Which of Neutron's plugin kinds this is.
        """
        kind: str = plugin_constants.L3
        return kind

    def get_plugin_description(self) -> str:
        """
        One line for `openstack extension list` and logs.
        """
        return "Routers as network namespaces, without agents"

    def create_floatingip(self, context: Any, floatingip: Any) -> Any:
        """
        Create a floating IP, ACTIVE when it leads somewhere.
        """
        status = _status(floatingip["floatingip"].get("port_id"))
        return super().create_floatingip(context, floatingip, initial_status=status)

    def update_floatingip(self, context: Any, id: str, floatingip: Any) -> Any:  # noqa: A002
        """
        Update a floating IP; its status follows its port.
        """
        updated = super().update_floatingip(context, id, floatingip)
        status = _status(updated["port_id"])
        if updated["status"] != status:
            self.update_floatingip_status(context, id, status)
            updated["status"] = status
        return updated

    @registry.receives(resources.ROUTER_INTERFACE, [events.AFTER_CREATE])
    def _interface_added(self, _r: str, _e: str, _t: object, payload: Any = None) -> None:
        port = payload.metadata.get("port") or {}
        _activate(payload.context, port.get("id"))

    @registry.receives(resources.ROUTER_GATEWAY, [events.AFTER_CREATE, events.AFTER_UPDATE])
    def _gateway_added(self, _r: str, _e: str, _t: object, payload: Any = None) -> None:
        router = self._get_router(payload.context, payload.resource_id)
        _activate(payload.context, router.gw_port_id)


def _status(port_id: str | None) -> str:
    status: str = (
        neutron_constants.FLOATINGIP_STATUS_ACTIVE
        if port_id
        else neutron_constants.FLOATINGIP_STATUS_DOWN
    )
    return status


def _activate(context: Any, port_id: str | None) -> None:
    if port_id:
        plugin = directory.get_plugin()
        plugin.update_port_status(context.elevated(), port_id, neutron_constants.PORT_STATUS_ACTIVE)
