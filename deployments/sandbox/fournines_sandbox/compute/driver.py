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
from typing import Any, ClassVar

import nova.conf
from nova import exception
from nova.compute import power_state, task_states
from nova.image import glance
from nova.virt import driver, hardware
from oslo_log import log as logging

from fournines_sandbox import image
from fournines_sandbox.compute import devices, disk, rootfs, wiring
from fournines_sandbox.compute.command import CommandError
from fournines_sandbox.compute.devices import Devices
from fournines_sandbox.compute.hosting import Hosting
from fournines_sandbox.compute.machine import all_machines, images
from fournines_sandbox.compute.record import Power, Record
from fournines_sandbox.compute.seed import Seed
from fournines_sandbox.faults import boots, standing
from fournines_sandbox.network import cable
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


class ContainerDriver(Hosting, Devices):  # type: ignore[misc]
    """
    System containers as instances.
    """

    capabilities: ClassVar[dict[str, bool]] = {
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

    # -- which instances there are

    def _mine(self) -> list[Record]:
        records = (machine.record for machine in all_machines(self.site))
        return [record for record in records if record and record.host == self.host.name]

    def list_instances(self) -> list[str]:
        return [record.name for record in self._mine()]

    def list_instance_uuids(self) -> list[str]:
        return [record.uuid for record in self._mine()]

    def instance_exists(self, instance: Any) -> bool:
        return self.machine(instance).record is not None

    def instance_on_disk(self, instance: Any) -> bool:
        return self.machine(instance).directory.is_dir()

    def check_instance_shared_storage_local(self, context: Any, instance: Any) -> None:
        # None: nothing to compare, the storage is shared. Every host sees the same directory.
        return None

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:
        machine = self.machine(instance)
        record = machine.record
        if record is None:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        if record.power is not Power.OFF and not machine.running:
            return hardware.InstanceInfo(state=power_state.SHUTDOWN)
        return hardware.InstanceInfo(state=_POWER_STATES[record.power])

    def get_console_output(self, context: Any, instance: Any) -> bytes:
        console = self.machine(instance).console
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
        machine = self.machine(instance)
        try:
            self._define(context, instance, network_info, block_device_info)
            boots.afflict(self.site, machine.layer.root, str(instance.image_ref or ""))
            cable.plug_in(self.site, {machine.netns})  # evacuated from a host without power
            if power_on:
                self._start(instance, network_info)
        except Exception:
            machine.erase()
            raise

    def _define(
        self, context: Any, instance: Any, network_info: Any, block_device_info: Any
    ) -> None:
        attached = devices.attachments(block_device_info)
        root = driver.block_device_info_get_root_device(block_device_info or {})
        root_volume = next(
            (item.file for item in attached if item.device == devices.device(root)), ""
        )
        key = "" if root_volume else self._image_key(context, instance)
        record = Record(
            uuid=instance.uuid,
            name=instance.display_name,
            hostname=instance.hostname,
            host=self.host.name,
            memory_mb=instance.flavor.memory_mb,
            vcpus=instance.flavor.vcpus,
            disk_gb=0 if root_volume else instance.flavor.root_gb,
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
            nameservers=tuple(
                dict.fromkeys(server for wire in wires for server in wire.nameservers)
            ),
        )
        self.machine(instance).define(record, seed, None)

    def _image_key(self, context: Any, instance: Any) -> str:
        told = self.image_api.get(context, instance.image_ref)
        base = (told.get("properties") or {}).get(image.PROPERTY)
        if base and (image.unpacked(self.site) / base).is_dir():
            return str(base)

        def fetch(archive: Path) -> None:
            self.image_api.download(context, instance.image_ref, dest_path=str(archive))

        try:
            self.images.ensure(instance.image_ref, fetch)
        except (CommandError, ValueError) as error:
            raise exception.ImageUnacceptable(
                image_id=instance.image_ref, reason=str(error)
            ) from error
        return str(instance.image_ref)

    def _start(self, instance: Any, network_info: Any) -> None:
        machine = self.machine(instance)
        if standing.host_down(self.site, self.host.name):
            # Work that was under way when the power went.
            raise exception.NovaException(f"host {self.host.name} has no power")
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
        machine = self.machine(instance)
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
        self.machine(instance).power_off(grace)
        self._start(instance, network_info)

    def power_off(self, instance: Any, timeout: int = 0, retry_interval: int = 0) -> None:
        self.machine(instance).power_off(timeout)

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
        if not self.machine(instance).running:
            self._start(instance, network_info)

    def pause(self, instance: Any) -> None:
        self.machine(instance).freeze(Power.PAUSED)

    def unpause(self, instance: Any) -> None:
        self.machine(instance).thaw()

    def suspend(self, context: Any, instance: Any) -> None:
        self.machine(instance).freeze(Power.SUSPENDED)

    def resume(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        share_info: Any = None,
    ) -> None:
        self.machine(instance).thaw()

    def poll_rebooting_instances(self, timeout: int, instances: Any) -> None:
        return None

    # -- images of instances

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        used = {record.image for machine in all_machines(self.site) if (record := machine.record)}
        self.images.prune(used, time.time())

    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        machine = self.machine(instance)
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
                lambda stream: self.image_api.update(
                    context, image_id, metadata, stream, purge_props=False
                ),
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
        self.machine(instance).power_off(timeout)
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

    def confirm_migration(
        self, context: Any, migration: Any, instance: Any, network_info: Any
    ) -> None:
        return None  # one directory serves every host: there is nothing left on the old one

    def _settle(self, instance: Any, network_info: Any, *, power_on: bool) -> None:
        flavor = instance.flavor
        machine = self.machine(instance)
        machine.amend(host=self.host.name, memory_mb=flavor.memory_mb, vcpus=flavor.vcpus)
        if machine.known.disk_gb and flavor.root_gb > machine.known.disk_gb:
            machine.layer.unmount()  # the kernel does not let it grow while it is in use
            disk.await_released(machine.layer.file)
            disk.grow(machine.layer.file, flavor.root_gb)
            machine.amend(disk_gb=flavor.root_gb)
        if power_on:
            self._start(instance, network_info)
