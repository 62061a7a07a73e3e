"""
OpenStack behind the `Cloud` Protocol: the only importer of openstacksdk.
"""

from fournines.cloud.openstack.cloud import OpenStackCloud, open_cloud

__all__ = ["OpenStackCloud", "open_cloud"]
