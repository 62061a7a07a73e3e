"""
Nova: API, conductor, scheduler and the computes of all simulated hosts in one process, over a message bus in memory.
"""

from __future__ import annotations

import importlib
import os
import sys
import uuid
from typing import Any

from fournines_sandbox.compute import metadata
from fournines_sandbox.compute.fleet import Fleet
from fournines_sandbox.compute.hosts import HOSTS
from fournines_sandbox.services import serving
from fournines_sandbox.site import Site


class _AnyHost(str):
    """
    The host name of a process that is many hosts: equal to each of theirs.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return any(other == host.name for host in HOSTS)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


class _ConfAnywhere:
    """
    Nova's configuration as seen by code that asks whether an instance is on "this" host.
    """

    def __init__(self, conf: Any) -> None:
        self._conf = conf

    host = _AnyHost("compute")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conf, name)


def main() -> None:
    """
    Serve Nova.
    """
    site = serving.prepare("nova")
    paste, conf = str(site.venv / "etc/nova/api-paste.ini"), str(site.etc / "nova.conf")
    os.environ["OS_NOVA_CONFIG_DIR"] = str(site.etc)
    os.environ["OS_NOVA_CONFIG_FILES"] = f"{paste};nova.conf"
    importlib.import_module("nova.monkey_patch").patch(backend="threading")
    wsgi = importlib.import_module("nova.api.openstack.wsgi_app")
    wsgi.init_global_data([paste, conf], "osapi_compute", "nova-api")
    # The scheduler's clients of other services are made once, at start.
    serving.wait_for_catalogue(site)
    _plug_driver()
    metadata.publish_changes(site)
    _identify(site)
    fleet = _start_services(site)
    application = wsgi.init_application("osapi_compute", "nova-api")
    _lay_out_zones()
    fleet.watch()
    serving.serve(site, "nova", application)


def _plug_driver() -> None:
    """
    Nova looks drivers up below nova.virt; put ours there.
    """
    module = importlib.import_module("fournines_sandbox.compute.driver")
    sys.modules["nova.virt.fournines"] = module
    importlib.import_module("nova.virt").fournines = module  # type: ignore[attr-defined]
    # Volumes are detached only where the instance is: here, whichever of the hosts it is on.
    devices = importlib.import_module("nova.virt.block_device")
    devices.CONF = _ConfAnywhere(devices.CONF)  # type: ignore[attr-defined]


def _identify(site: Site) -> None:
    """
    Nova insists on a file that names its one node; our nodes' names are computed, but the file must be there.
    """
    directory = site.state / "nova"
    directory.mkdir(parents=True, exist_ok=True)
    identity = directory / "compute_id"
    if not identity.exists():
        identity.write_text(str(uuid.uuid4()))


def _start_services(site: Site) -> Fleet:
    service = importlib.import_module("nova.service")
    objects = importlib.import_module("nova.objects")
    conf = importlib.import_module("nova.conf").CONF
    importlib.import_module("os_brick").setup(conf)
    importlib.import_module("os_vif").initialize()
    objects.Service.enable_min_version_cache()
    for role in ("conductor", "scheduler"):
        topic = importlib.import_module(f"nova.{role}.rpcapi").RPC_TOPIC
        service.Service.create(binary=f"nova-{role}", topic=topic).start()
    fleet = Fleet(site)
    fleet.look()
    return fleet


def _lay_out_zones() -> None:
    """
    Map the hosts to the cell, and each to its availability zone; idempotent.
    """
    admin = importlib.import_module("nova.context").get_admin_context()
    importlib.import_module("nova.objects.host_mapping").discover_hosts(admin)
    api = importlib.import_module("nova.compute.api").AggregateAPI()
    known = {aggregate.name: aggregate for aggregate in api.get_aggregate_list(admin)}
    for host in HOSTS:
        aggregate = known.get(host.zone)
        if aggregate is None:
            aggregate = known[host.zone] = api.create_aggregate(admin, host.zone, host.zone)
        if host.name not in aggregate.hosts:
            known[host.zone] = api.add_host_to_aggregate(admin, aggregate.id, host.name)


if __name__ == "__main__":
    serving.run(main)
