"""
The `Cloud` Protocol on OpenStack, from Zed to 2026.2.
"""

from __future__ import annotations

from fournines.clock import Clock, SystemClock
from fournines.cloud.openstack.answers import Answers
from fournines.cloud.openstack.balancers import Balancers
from fournines.cloud.openstack.base import Context
from fournines.cloud.openstack.connection import Connection, connect
from fournines.cloud.openstack.floating_ips import FloatingIps
from fournines.cloud.openstack.images import Images
from fournines.cloud.openstack.instances import Instances
from fournines.cloud.openstack.listing import Listing
from fournines.cloud.openstack.members import Members
from fournines.cloud.openstack.networks import Networks
from fournines.cloud.openstack.object_keys import ObjectKeys
from fournines.cloud.openstack.ports import Ports
from fournines.cloud.openstack.quotas import Quotas
from fournines.cloud.openstack.security import SecurityGroups
from fournines.cloud.openstack.server_groups import ServerGroups
from fournines.cloud.openstack.volumes import Volumes
from fournines.settings import Settings
from fournines.settings import settings as current_settings


class OpenStackCloud:
    """
    A cloud named in clouds.yaml. Thread-safe.

    Each method is one of a part's; the parts share one `Context`.
    """

    def __init__(
        self, connection: Connection, settings: Settings, clock: Clock
    ) -> None:
        self.context = Context(connection, settings, clock)
        listing = Listing(self.context)
        self.inventory = listing.inventory
        self.serving = listing.serving
        self.unanswered = Answers(self.context).unanswered
        self.quota = Quotas(self.context).quota
        networks = Networks(self.context)
        self.ensure_network = networks.ensure_network
        self.delete_network = networks.delete_network
        security = SecurityGroups(self.context)
        self.ensure_security_group = security.ensure_security_group
        self.delete_security_group = security.delete_security_group
        server_groups = ServerGroups(self.context)
        self.ensure_server_group = server_groups.ensure_server_group
        self.delete_server_group = server_groups.delete_server_group
        volumes = Volumes(self.context)
        self.ensure_volume = volumes.ensure_volume
        self.delete_volume = volumes.delete_volume
        ports = Ports(self.context)
        self.ensure_port = ports.ensure_port
        self.port_addresses = ports.port_addresses
        self.delete_port = ports.delete_port
        instances = Instances(self.context)
        self.ensure_instance = instances.ensure_instance
        self.restart_instance = instances.restart_instance
        self.withdraw_metadata = instances.withdraw_metadata
        self.delete_instance = instances.delete_instance
        self.stop_instance = instances.stop_instance
        self.console = instances.console
        images = Images(self.context)
        self.images = images.all_images
        self.images_in_use = images.images_in_use
        self.ensure_image = images.ensure_image
        self.describe_image = images.describe_image
        self.delete_image = images.delete_image
        balancers = Balancers(self.context)
        self.ensure_load_balancer = balancers.ensure_load_balancer
        self.failover_load_balancer = balancers.failover_load_balancer
        self.delete_load_balancer = balancers.delete_load_balancer
        members = Members(self.context)
        self.pool = members.pool
        self.join_pool = members.join_pool
        self.leave_pool = members.leave_pool
        self.set_weight = members.set_weight
        floating_ips = FloatingIps(self.context)
        self.entrances = floating_ips.entrances
        self.ensure_floating_ip = floating_ips.ensure_floating_ip
        self.delete_floating_ip = floating_ips.delete_floating_ip
        keys = ObjectKeys(self.context)
        self.object_endpoint, self.ensure_object_key, self.delete_object_key = (
            keys.object_endpoint,
            keys.ensure_object_key,
            keys.delete_object_key,
        )

    def close(self) -> None:
        """
        Let go of threads and sockets.
        """
        self.context.connection.close()


def open_cloud(
    settings: Settings | None = None,
    *,
    cloud: str | None = None,
    clock: Clock | None = None,
) -> OpenStackCloud:
    """
    The cloud of the settings (or the one named). Nothing is sent until it is asked something.

    Raises:
        CredentialsRefused: There is no such entry in clouds.yaml, or it is incomplete.
    """
    chosen = settings or current_settings()
    return OpenStackCloud(connect(chosen, cloud), chosen, clock or SystemClock())
