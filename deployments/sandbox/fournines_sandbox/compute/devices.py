"""
The driver's half that plugs volumes and interfaces into instances.
"""

from __future__ import annotations

from typing import Any

from nova import exception
from nova.virt import driver

from fournines_sandbox.compute import wiring
from fournines_sandbox.compute.command import CommandError
from fournines_sandbox.compute.hosts import Host
from fournines_sandbox.compute.machine import Machine
from fournines_sandbox.compute.record import Attachment
from fournines_sandbox.site import Site


class Devices(driver.ComputeDriver):  # type: ignore[misc]
    """
    What is attached to instances, and taken away again.
    """

    host: Host
    site: Site

    def machine(self, instance: Any) -> Machine:
        """The instance as this machine has it."""
        return Machine(self.site, instance.uuid)

    def default_root_device_name(self, instance: Any, image_meta: Any, root_bdm: Any) -> str:
        return "/dev/vda"  # hence volumes are vdb, vdc ... as on most clouds

    def get_volume_connector(self, instance: Any) -> dict[str, Any]:
        return {
            "host": self.host.name,
            "ip": "127.0.0.1",
            "initiator": f"iqn.fournines:{self.host.name}",
            "multipath": False,
            "platform": "x86_64",
            "os_type": "linux",
        }

    def attach_volume(
        self,
        context: Any,
        connection_info: Any,
        instance: Any,
        mountpoint: str,
        disk_bus: Any = None,
        device_type: Any = None,
        encryption: Any = None,
    ) -> None:
        self.machine(instance).attach(attachment(connection_info, mountpoint))

    def detach_volume(
        self,
        context: Any,
        connection_info: Any,
        instance: Any,
        mountpoint: str,
        encryption: Any = None,
    ) -> None:
        volume = attachment(connection_info, mountpoint)
        try:
            self.machine(instance).detach(volume.volume_id)
        except CommandError as error:
            raise exception.DeviceDetachFailed(device=mountpoint, reason=str(error)) from error

    def extend_volume(
        self, context: Any, connection_info: Any, instance: Any, requested_size: int
    ) -> None:
        return None  # the volume driver grows file and file system alike, attached or not

    def attach_interface(self, context: Any, instance: Any, image_meta: Any, vif: Any) -> None:
        wire = wiring.Wire.from_vif(vif, first=False)
        wire.plug(self.site, self.machine(instance).netns)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        wiring.Wire.from_vif(vif, first=False).unplug(self.site)

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        machine = self.machine(instance)
        if machine.running:
            for wire in wiring.wires(network_info):
                wire.plug(self.site, machine.netns)

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        for wire in wiring.wires(network_info):
            wire.unplug(self.site)


def device(name: str | None) -> str:
    """A device's name without its directory."""
    return (name or "").rpartition("/")[2]


def attachment(connection_info: Any, mountpoint: str) -> Attachment:
    """One of Nova's connections as an attachment."""
    data = connection_info["data"]
    return Attachment(
        device=device(mountpoint), volume_id=data["volume_id"], file=data["device_path"]
    )


def attachments(block_device_info: Any) -> list[Attachment]:
    """All volumes of an instance, its root volume among them."""
    mapping = driver.block_device_info_get_mapping(block_device_info or {})
    return [attachment(item["connection_info"], item["mount_device"]) for item in mapping]
