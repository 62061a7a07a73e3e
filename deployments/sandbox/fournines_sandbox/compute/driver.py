"""
Nova's plug: a ComputeDriver whose instances are system containers on this machine.

One object per simulated host, all in one process and over the same directory. The driver keeps nothing in memory: what
an instance is stands in its record, whether it lives is asked of the kernel, so a restarted Nova finds everything as it
is.
"""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import nova.conf
import os_resource_classes as orc
from nova import exception
from nova.compute import power_state, task_states
from nova.image import glance
from nova.objects import fields
from nova.virt import driver, hardware
from oslo_log import log as logging

from fournines_sandbox import image
from fournines_sandbox.compute import rootfs, wiring
from fournines_sandbox.compute.command import CommandError
from fournines_sandbox.compute.hosts import BY_NAME, Host
from fournines_sandbox.compute.machine import Machine, MachineError, all_machines, images
from fournines_sandbox.compute.record import Attachment, Power, Record
from fournines_sandbox.compute.seed import Seed
from fournines_sandbox.site import Site

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

_POWER_STATES = {
    Power.ON: power_state.RUNNING,
    Power.OFF: power_state.SHUTDOWN,
    Power.PAUSED: power_state.PAUSED,
    Power.SUSPENDED: power_state.SUSPENDED,
}
_STORES: dict[Path, rootfs.ImageStore] = {}  # one per process, because its locks are


class ContainerDriver(driver.ComputeDriver):  # type: ignore[misc]
    """
    System containers as instances.
    """

    capabilities = {
        **driver.ComputeDriver.capabilities,
        "has_imagecache": True,
        "supports_evacuate": True,
        "supports_migrate_to_same_host": True,
        "supports_attach_interface": True,
        "supports_device_tagging": True,
        "supports_tagged_attach_interface": True,
        "supports_tagged_attach_volume": True,
        "supports_extend_volume": True,
        "supports_image_type_raw": True,
    }

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        super().__init__(virtapi)
        self.site = Site.from_environment()
        self.images = _STORES.setdefault(self.site.home, rootfs.ImageStore(images(self.site)))
        self.image_api = glance.API()
        self.host: Host

    # -- the host

    def init_host(self, host: str) -> None:
        self.host = BY_NAME[host]

    def get_host_ip_addr(self) -> str:
        return "127.0.0.1"

    def get_available_nodes(self, refresh: bool = False) -> list[str]:
        return [self.host.name]

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {self.host.node_uuid: self.host.name}

    def get_host_uptime(self) -> str:
        return Path("/proc/uptime").read_text()

    def get_host_cpu_stats(self) -> None:
        return None

    def set_host_enabled(self, enabled: bool) -> str:
        return "enabled" if enabled else "disabled"

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        return {
            "uuid": self.host.node_uuid,
            "vcpus": self.host.vcpus,
            "memory_mb": self.host.memory_mb,
            "local_gb": self.host.disk_gb,
            "vcpus_used": 0,
            "memory_mb_used": 0,
            "local_gb_used": 0,
            "disk_available_least": self.host.disk_gb,
            "hypervisor_type": "lxc",
            "hypervisor_version": 252000,
            "hypervisor_hostname": nodename,
            "cpu_info": "{}",
            "numa_topology": None,
            "supported_instances": [
                (fields.Architecture.X86_64, fields.HVType.LXC, fields.VMMode.EXE),
                (fields.Architecture.X86_64, fields.HVType.LXC, fields.VMMode.HVM),
            ],
        }

    def update_provider_tree(self, provider_tree: Any, nodename: str, allocations: Any = None) -> None:
        def inventory(total: int, ratio: float = 1.0) -> dict[str, Any]:
            return {
                "total": total,
                "min_unit": 1,
                "max_unit": total,
                "step_size": 1,
                "allocation_ratio": ratio,
                "reserved": 0,
            }

        provider_tree.update_inventory(
            nodename,
            {
                orc.VCPU: inventory(self.host.vcpus, self.host.vcpu_ratio),
                orc.MEMORY_MB: inventory(self.host.memory_mb),
                orc.DISK_GB: inventory(self.host.disk_gb),
            },
        )

    # -- which instances there are

    def _machine(self, instance: Any) -> Machine:
        return Machine(self.site, instance.uuid)

    def _mine(self) -> list[Record]:
        records = (machine.record for machine in all_machines(self.site))
        return [record for record in records if record and record.host == self.host.name]

    def list_instances(self) -> list[str]:
        return [record.name for record in self._mine()]

    def list_instance_uuids(self) -> list[str]:
        return [record.uuid for record in self._mine()]

    def instance_exists(self, instance: Any) -> bool:
        return self._machine(instance).record is not None

    def instance_on_disk(self, instance: Any) -> bool:
        return self._machine(instance).directory.is_dir()

    def check_instance_shared_storage_local(self, context: Any, instance: Any) -> None:
        # None: nothing to compare, the storage is shared. Every host sees the same directory.
        return None

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:
        machine = self._machine(instance)
        record = machine.record
        if record is None:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        if record.power is not Power.OFF and not machine.running:
            return hardware.InstanceInfo(state=power_state.SHUTDOWN)
        return hardware.InstanceInfo(state=_POWER_STATES[record.power])

    def get_console_output(self, context: Any, instance: Any) -> bytes:
        console = self._machine(instance).console
        return console.read_bytes() if console.exists() else b""

    # -- life and death

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: Any,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
    ) -> None:
        machine = self._machine(instance)
        try:
            self._define(context, instance, network_info, block_device_info)
            if power_on:
                self._start(instance, network_info)
        except Exception:
            machine.erase()
            raise

    def _define(self, context: Any, instance: Any, network_info: Any, block_device_info: Any) -> None:
        attached = _attachments(block_device_info)
        root = driver.block_device_info_get_root_device(block_device_info or {})
        root_volume = next((item.file for item in attached if item.device == _device(root)), "")
        key = "" if root_volume else self._image_key(context, instance)
        record = Record(
            uuid=instance.uuid,
            name=instance.display_name,
            hostname=instance.hostname,
            host=self.host.name,
            memory_mb=instance.flavor.memory_mb,
            vcpus=instance.flavor.vcpus,
            image=key,
            root_volume=root_volume,
            attachments=tuple(item for item in attached if item.file != root_volume),
        )
        wires = wiring.wires(network_info)
        seed = Seed(
            instance_id=instance.uuid,
            hostname=instance.hostname,
            user_data=base64.b64decode(instance.user_data or ""),
            availability_zone=self.host.zone,
            metadata=dict(instance.metadata or {}),
            public_keys=tuple(filter(None, [instance.key_data])),
            nameservers=tuple(dict.fromkeys(server for wire in wires for server in wire.nameservers)),
        )
        self._machine(instance).define(record, seed, None)

    def _image_key(self, context: Any, instance: Any) -> str:
        told = self.image_api.get(context, instance.image_ref)
        base = (told.get("properties") or {}).get(image.PROPERTY)
        if base and base in rootfs.ImageStore(image.unpacked(self.site)).keys():
            return str(base)

        def fetch(archive: Path) -> None:
            self.image_api.download(context, instance.image_ref, dest_path=str(archive))

        try:
            self.images.ensure(instance.image_ref, fetch)
        except (CommandError, ValueError) as error:
            raise exception.ImageUnacceptable(image_id=instance.image_ref, reason=str(error)) from error
        return str(instance.image_ref)

    def _start(self, instance: Any, network_info: Any) -> None:
        machine = self._machine(instance)
        for wire in wiring.wires(network_info):
            wire.plug(self.site, machine.netns)
        machine.power_on()

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        machine = self._machine(instance)
        record = machine.record
        if record is not None and record.host != self.host.name:
            # It has moved on: what another host runs is not ours to end.
            LOG.info("Instance %s is on %s now; leaving it alone", instance.uuid, record.host)
            return
        self.unplug_vifs(instance, network_info)
        if destroy_disks:
            machine.erase()
        else:
            machine.release()

    def cleanup(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        migrate_data: Any = None,
        destroy_vifs: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        self.destroy(context, instance, network_info, block_device_info, destroy_disks)

    def reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        reboot_type: str,
        block_device_info: Any = None,
        bad_volumes_callback: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        grace = CONF.shutdown_timeout if reboot_type == "SOFT" else 0
        self._machine(instance).power_off(grace)
        self._start(instance, network_info)

    def power_off(self, instance: Any, timeout: int = 0, retry_interval: int = 0) -> None:
        self._machine(instance).power_off(timeout)

    def power_on(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
    ) -> None:
        self._start(instance, network_info)

    def resume_state_on_host_boot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        share_info: Any,
        block_device_info: Any = None,
    ) -> None:
        if not self._machine(instance).running:
            self._start(instance, network_info)

    def pause(self, instance: Any) -> None:
        self._machine(instance).freeze(Power.PAUSED)

    def unpause(self, instance: Any) -> None:
        self._machine(instance).thaw()

    def suspend(self, context: Any, instance: Any) -> None:
        self._machine(instance).freeze(Power.SUSPENDED)

    def resume(
        self, context: Any, instance: Any, network_info: Any, block_device_info: Any = None, share_info: Any = None
    ) -> None:
        self._machine(instance).thaw()

    def poll_rebooting_instances(self, timeout: int, instances: Any) -> None:
        return None

    # -- images of instances

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        used = {record.image for machine in all_machines(self.site) if (record := machine.record)}
        self.images.prune(used, time.time())

    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        machine = self._machine(instance)
        described = self.image_api.get(context, image_id)
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        metadata = {
            "status": "active",
            "name": described["name"],
            "disk_format": "raw",
            "container_format": "bare",
            "properties": {
                "image_location": "snapshot",
                "image_state": "available",
                "owner_id": instance.project_id,
                # An image made of an instance is no longer the base it grew from.
                image.PROPERTY: "",
            },
        }
        update_task_state(
            task_state=task_states.IMAGE_UPLOADING, expected_state=task_states.IMAGE_PENDING_UPLOAD
        )
        machine.mount()  # stopped since the machine's last start, it may not be
        try:
            rootfs.pack(
                machine.layer.root,
                lambda stream: self.image_api.update(context, image_id, metadata, stream, purge_props=False),
            )
        except Exception:
            # Nova runs this in a thread whose failures it records but does not log.
            LOG.exception("Making image %s of instance %s failed", image_id, instance.uuid)
            raise

    # -- another flavor, another host

    def migrate_disk_and_power_off(
        self,
        context: Any,
        instance: Any,
        dest: str,
        flavor: Any,
        network_info: Any,
        block_device_info: Any = None,
        timeout: int = 0,
        retry_interval: int = 0,
    ) -> str:
        self._machine(instance).power_off(timeout)
        return "{}"

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        disk_info: Any,
        network_info: Any,
        image_meta: Any,
        resize_instance: bool,
        allocations: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
    ) -> None:
        self._settle(instance, network_info, power_on=power_on)

    def finish_revert_migration(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        migration: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
    ) -> None:
        self._settle(instance, network_info, power_on=power_on)

    def confirm_migration(self, context: Any, migration: Any, instance: Any, network_info: Any) -> None:
        return None  # one directory serves every host: there is nothing left on the old one

    def _settle(self, instance: Any, network_info: Any, *, power_on: bool) -> None:
        flavor = instance.flavor
        machine = self._machine(instance)
        machine.amend(host=self.host.name, memory_mb=flavor.memory_mb, vcpus=flavor.vcpus)
        if power_on:
            self._start(instance, network_info)

    # -- devices

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
        self._machine(instance).attach(_attachment(connection_info, mountpoint))

    def detach_volume(
        self, context: Any, connection_info: Any, instance: Any, mountpoint: str, encryption: Any = None
    ) -> None:
        volume = _attachment(connection_info, mountpoint)
        try:
            self._machine(instance).detach(volume.volume_id)
        except CommandError as error:
            raise exception.DeviceDetachFailed(device=mountpoint, reason=str(error)) from error

    def extend_volume(self, context: Any, connection_info: Any, instance: Any, requested_size: int) -> None:
        return None  # the volume driver grows file and file system alike, attached or not

    def attach_interface(self, context: Any, instance: Any, image_meta: Any, vif: Any) -> None:
        wire = wiring.Wire.from_vif(vif, first=False)
        wire.plug(self.site, self._machine(instance).netns)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        wiring.Wire.from_vif(vif, first=False).unplug(self.site)

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        machine = self._machine(instance)
        if machine.running:
            for wire in wiring.wires(network_info):
                wire.plug(self.site, machine.netns)

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        for wire in wiring.wires(network_info):
            wire.unplug(self.site)


def _device(name: str | None) -> str:
    return (name or "").rpartition("/")[2]


def _attachment(connection_info: Any, mountpoint: str) -> Attachment:
    data = connection_info["data"]
    return Attachment(device=_device(mountpoint), volume_id=data["volume_id"], file=data["device_path"])


def _attachments(block_device_info: Any) -> list[Attachment]:
    mapping = driver.block_device_info_get_mapping(block_device_info or {})
    return [_attachment(item["connection_info"], item["mount_device"]) for item in mapping]
