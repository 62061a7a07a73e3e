"""
Neutron's mechanism driver: binds every port at once and wakes the reconciler after every change.

There are no agents, so binding means no more than "any host will do"; the data path follows from the database by the
reconciler, which lives in this process too.
"""

from __future__ import annotations

from typing import Any

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.callbacks import events, registry, resources
from neutron_lib.plugins.ml2 import api

from fournines_sandbox.network import reconciler

_WATCHED = (
    resources.ROUTER,
    resources.ROUTER_INTERFACE,
    resources.ROUTER_GATEWAY,
    resources.FLOATING_IP,
    resources.SECURITY_GROUP,
    resources.SECURITY_GROUP_RULE,
    resources.SUBNET,
    resources.NETWORK,
    resources.PORT,
)
_EVENTS = (events.AFTER_CREATE, events.AFTER_UPDATE, events.AFTER_DELETE)


class Mechanism(api.MechanismDriver):
    """
    The driver ML2 loads as `fournines`.
    """

    def initialize(self) -> None:
        """
        Start the reconciler and have it woken by whatever may change the data path.
        """
        self._reconciler = reconciler.start()
        for resource in _WATCHED:
            for event in _EVENTS:
                registry.subscribe(self._changed, resource, event)

    @property
    def connectivity(self) -> str:
        """What a bound port offers."""
        connectivity: str = portbindings.CONNECTIVITY_L2
        return connectivity

    def bind_port(self, context: api.PortContext) -> None:
        """
        Bind to the first segment; VIF type `other` keeps Nova from plugging on its own.
        """
        for segment in context.segments_to_bind:
            context.set_binding(
                segment[api.ID],
                portbindings.VIF_TYPE_OTHER,
                {portbindings.VIF_DETAILS_CONNECTIVITY: self.connectivity},
                status=constants.PORT_STATUS_ACTIVE,
            )
            return

    def check_vlan_transparency(self, context: api.NetworkContext) -> bool:
        """
        Bridges pass tagged frames as they are.
        """
        return True

    def _changed(self, resource: str, event: str, trigger: object, payload: Any = None) -> None:
        self._reconciler.wake()
