"""
Nova's configuration: API, conductor, scheduler and computes share one process.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "nova.conf"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What nova.conf holds.
    """
    return {
        "DEFAULT": document.defaults(
            host="compute",
            my_ip="127.0.0.1",
            state_path=str(site.state / "nova"),
            compute_driver="fournines.ContainerDriver",
            max_concurrent_builds="16",
            # A killed guest is found by looking, as a hypervisor's is: within this many seconds.
            sync_power_state_interval="10",
            # What ran before the machine stopped runs again after `up`.
            resume_guests_state_on_host_boot="true",
            # Guests here stop within two seconds or not at all.
            shutdown_timeout="10",
            instances_path=str(site.state / "instances"),
            heal_instance_info_cache_interval="-1",
            periodic_fuzzy_delay="5",
            allow_resize_to_same_host="true",
            force_config_drive="false",
            # A host without power is called down after three missed heartbeats.
            report_interval="10",
            service_down_time="35",
            # What was deleted while its host was down goes soon after the host is back.
            running_deleted_instance_poll_interval="30",
            vif_plugging_is_fatal="false",
            vif_plugging_timeout="0",
        ),
        "workarounds": {"disable_rootwrap": "true"},
        "database": document.database(site, credentials, "nova_cell1"),
        "api_database": document.database(site, credentials, "nova_api"),
        "api": {"auth_strategy": "keystone", "max_limit": "1000"},
        "wsgi": {"api_paste_config": str(site.venv / "etc/nova/api-paste.ini")},
        "conductor": {"workers": "1"},
        "scheduler": {"workers": "1", "discover_hosts_in_cells_interval": "300"},
        "filter_scheduler": {
            "track_instance_changes": "false",
            # Several builds at once do not all choose the same of equal hosts; but a worse one is never chosen for a better.
            "host_subset_size": "1",
            "shuffle_best_same_weighed_hosts": "true",
            # A host without a member of the group goes before one with more memory left.
            "soft_anti_affinity_weight_multiplier": "100",
        },
        "quota": {"instances": "50", "cores": "100", "ram": "102400", "server_group_members": "50"},
        "oslo_concurrency": document.locks(site),
        "vnc": {"enabled": "false"},
        "glance": {"api_servers": site.internal_url("glance")},
        "placement": document.client(site, credentials, "placement"),
        "neutron": document.client(site, credentials, "neutron", service_metadata_proxy="false"),
        "cinder": document.client(site, credentials, "cinder", os_region_name=document.REGION),
        "service_user": document.client(
            site,
            credentials,
            "nova",
            send_service_user_token="true",  # noqa: S106  a switch
        ),
        "keystone_authtoken": document.token_middleware(site, credentials, "nova"),
    }
