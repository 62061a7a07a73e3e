"""
OpenStack behind the `Cloud` Protocol: the only importer of openstacksdk.
"""

from fournines.cloud.openstack.cloud import OpenStackCloud, open_cloud
from fournines.cloud.openstack.key_manager import open_keys

__all__ = ["OpenStackCloud", "open_cloud", "open_keys"]
