"""
Cinder's plug: a volume is a sparse file with an ext4 file system, attached by its path.

Snapshots and clones are copies of the file, taken while its file system is held still. An image that is a root
directory (as instances boot from) becomes a file system with that content; any other image is copied byte by byte.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

from cinder import exception, interface
from cinder.volume import driver
from oslo_config import cfg

from fournines_sandbox.compute import disk, rootfs
from fournines_sandbox.compute.command import CommandError
from fournines_sandbox.site import Site

_CAPACITY_GB = 2000  # a promise, as the compute hosts' is: the files are sparse


@interface.volumedriver
class FileDriver(driver.CloneableImageVD, driver.BaseVD):  # type: ignore[misc]
    """
    Files as volumes.
    """

    VERSION = "1.0"
    CI_WIKI_NAME = "none"

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.site = Site.from_environment()

    @property
    def directory(self) -> Path:
        """All volumes and snapshots."""
        return self.site.state / "volumes"

    def _file(self, thing: Any) -> Path:
        return self.directory / str(thing.name)

    @staticmethod
    def get_driver_options() -> list[cfg.Opt]:
        return []

    def do_setup(self, context: Any) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    def check_for_setup_error(self) -> None:
        return None

    def get_volume_stats(self, refresh: bool = False) -> dict[str, Any]:
        return {
            "volume_backend_name": self.configuration.safe_get("volume_backend_name") or "local",
            "vendor_name": "Fournines",
            "driver_version": self.VERSION,
            "storage_protocol": "local",
            "total_capacity_gb": _CAPACITY_GB,
            "free_capacity_gb": _CAPACITY_GB,
            "reserved_percentage": 0,
            "QoS_support": False,
            "multiattach": False,
            "thin_provisioning_support": False,
        }

    # -- volumes

    def create_volume(self, volume: Any) -> None:
        disk.make(self._file(volume), volume.size)

    def delete_volume(self, volume: Any) -> None:
        file = self._file(volume)
        if file.exists() and disk.loop_of(file):
            raise exception.VolumeIsBusy(volume_name=volume.name)
        file.unlink(missing_ok=True)

    def extend_volume(self, volume: Any, new_size: int) -> None:
        disk.grow(self._file(volume), new_size)

    def create_snapshot(self, snapshot: Any) -> None:
        disk.copy(self._file(snapshot.volume), self._file(snapshot), snapshot.volume.size)

    def delete_snapshot(self, snapshot: Any) -> None:
        self._file(snapshot).unlink(missing_ok=True)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> None:
        disk.copy(self._file(snapshot), self._file(volume), volume.size)

    def create_cloned_volume(self, volume: Any, src_vref: Any) -> None:
        disk.copy(self._file(src_vref), self._file(volume), volume.size)

    def revert_to_snapshot(self, context: Any, volume: Any, snapshot: Any) -> None:
        disk.copy(self._file(snapshot), self._file(volume), volume.size)

    # -- images

    def clone_image(
        self, context: Any, volume: Any, image_location: Any, image_meta: Any, image_service: Any
    ) -> tuple[dict[str, Any], bool]:
        # Taken here, because the generic way wants to convert disk formats.
        self.copy_image_to_volume(context, volume, image_service, image_meta["id"])
        return {}, True

    def copy_image_to_volume(
        self,
        context: Any,
        volume: Any,
        image_service: Any,
        image_id: str,
        disable_sparse: bool = False,
    ) -> None:
        file = self._file(volume)
        scratch = self.directory / f".{uuid.uuid4().hex}"
        archive = scratch.with_suffix(".image")
        try:
            with archive.open("wb") as sink:
                image_service.download(context, image_id, sink)
            if _is_archive(archive):
                rootfs.unpack(archive, scratch)
                disk.make(file, volume.size, content=scratch)
            else:
                disk.copy(archive, file, volume.size)
        except (CommandError, ValueError) as error:
            raise exception.ImageCopyFailure(reason=str(error)) from error
        finally:
            archive.unlink(missing_ok=True)
            shutil.rmtree(scratch, ignore_errors=True)

    def copy_volume_to_image(
        self, context: Any, volume: Any, image_service: Any, image_meta: Any
    ) -> None:
        with disk.still(self._file(volume)), self._file(volume).open("rb") as source:
            image_service.update(context, image_meta["id"], {}, source)

    # -- connections: the compute driver is on this machine too, so the path is all it needs

    def ensure_export(self, context: Any, volume: Any) -> None:
        return None

    def create_export(self, context: Any, volume: Any, connector: Any) -> None:
        return None

    def remove_export(self, context: Any, volume: Any) -> None:
        return None

    def create_export_snapshot(self, context: Any, snapshot: Any, connector: Any) -> None:
        return None

    def remove_export_snapshot(self, context: Any, snapshot: Any) -> None:
        return None

    def initialize_connection(self, volume: Any, connector: Any) -> dict[str, Any]:
        return self._connection(volume)

    def initialize_connection_snapshot(self, snapshot: Any, connector: Any) -> dict[str, Any]:
        return self._connection(snapshot)

    def _connection(self, thing: Any) -> dict[str, Any]:
        return {
            "driver_volume_type": "local",
            "data": {"device_path": str(self._file(thing)), "volume_id": thing.id},
        }

    def terminate_connection(self, volume: Any, connector: Any, **more: Any) -> None:
        return None

    def terminate_connection_snapshot(self, snapshot: Any, connector: Any, **more: Any) -> None:
        return None


def _is_archive(file: Path) -> bool:
    with file.open("rb") as handle:
        head = handle.read(512)
    return head[257:262] == b"ustar" or head[:2] == b"\x1f\x8b" or head[:4] == b"\x28\xb5\x2f\xfd"
