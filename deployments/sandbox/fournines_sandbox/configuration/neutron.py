"""
Neutron's configuration: no agents; the mechanism driver renders the data path from within the API's process.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "neutron.conf"

EXTERNAL_PHYSICAL_NETWORK = "external"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What neutron.conf holds.
    """
    return {
        "DEFAULT": document.defaults(
            host="network",
            core_plugin="ml2",
            service_plugins=(
                "fournines_router,qos,tag,timestamp,revisions,"
                "auto_allocate,network_ip_availability,flavors"
            ),
            api_workers="1",
            rpc_workers="0",
            rpc_state_report_workers="0",
            state_path=str(site.state / "neutron"),
            api_paste_config=str(site.venv / "etc/neutron/api-paste.ini"),
            auth_strategy="keystone",
            notify_nova_on_port_status_changes="true",
            notify_nova_on_port_data_changes="true",
            dns_domain="fournines.internal.",
            global_physnet_mtu="1500",
            dhcp_agent_notification="false",
            l3_ha="false",
        ),
        "database": document.database(site, credentials, "neutron"),
        "ml2": {
            "type_drivers": "local,flat,vlan,vxlan",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "fournines",
            "extension_drivers": "port_security,dns,qos",
        },
        "ml2_type_flat": {"flat_networks": EXTERNAL_PHYSICAL_NETWORK},
        "ml2_type_vxlan": {"vni_ranges": "1:10000"},
        "oslo_concurrency": document.locks(site),
        # The locking driver reserves quota by rows that parallel creates fight over.
        "quotas": {
            "quota_driver": "neutron.db.quota.driver_nolock.DbQuotaNoLockDriver",
            # A platform keeps a group per service; OpenStack's default of ten is for one application.
            "quota_security_group": "50",
            "quota_security_group_rule": "500",
        },
        "nova": document.client(site, credentials, "nova"),
        "placement": document.client(site, credentials, "placement"),
        "keystone_authtoken": document.token_middleware(site, credentials, "neutron"),
    }
