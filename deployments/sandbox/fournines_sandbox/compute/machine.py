"""
One instance on this machine, from its directory: layer, namespace, control group, container, volumes.

Everything is level-triggered: each operation looks at what is there and makes up the difference, so it may be repeated
after a crash of anything. Operations on one instance exclude each other, also between processes.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fournines_sandbox.compute import companion, container, disk, record, rootfs, seed
from fournines_sandbox.compute.cgroup import ControlGroup
from fournines_sandbox.compute.container import Bind, ContainerSpec
from fournines_sandbox.compute.process import Process
from fournines_sandbox.compute.record import Attachment, Power, Record
from fournines_sandbox.compute.rootfs import Layer
from fournines_sandbox.compute.seed import Seed
from fournines_sandbox.network import kernel
from fournines_sandbox.site import Site

_CONSOLE_BYTES_MAX = 1 << 20  # kept over restarts


class MachineError(RuntimeError):
    """An instance is not there, or is not in a state for what was asked of it."""


def home(site: Site) -> Path:
    """The directory of all instances."""
    return site.state / "instances"


def images(site: Site) -> Path:
    """The directory of unpacked images."""
    return site.state / "images"


@dataclass(frozen=True, slots=True)
class Machine:
    """
    One instance by its id.
    """

    site: Site
    uuid: str

    # -- where things are

    @property
    def directory(self) -> Path:
        """All that is kept of it."""
        return home(self.site) / self.uuid

    @property
    def netns(self) -> str:
        """Its network namespace."""
        return self.site.netns("vm", self.uuid)

    @property
    def group(self) -> ControlGroup:
        """Its control group."""
        return ControlGroup(self.site.cgroup("vm", self.uuid))

    @property
    def layer(self) -> Layer:
        """Its writable layer."""
        known = self.record
        return Layer(self.directory, known.disk_gb if known else 0)

    @property
    def console(self) -> Path:
        """Its console log."""
        return self.directory / "console.log"

    @property
    def hoard(self) -> Path:
        """Mount point of what a fault keeps in its memory."""
        return self.directory / "hoard"

    def _volume_mount(self, attachment: Attachment) -> Path:
        return self.directory / "volumes" / attachment.device

    # -- what is the case

    @property
    def record(self) -> Record | None:
        """What is remembered of it."""
        return record.load(self.directory)

    @property
    def known(self) -> Record:
        """
        What is remembered of it.

        Raises:
            MachineError: Nothing is.
        """
        found = self.record
        if found is None:
            raise MachineError(f"there is no instance {self.uuid} on this machine")
        return found

    @property
    def supervisor(self) -> Process | None:
        """Its container's supervisor, if it runs."""
        found = self.record
        return found.supervisor if found and found.supervisor and found.supervisor.alive else None

    @property
    def init(self) -> Process | None:
        """Its init, if it runs."""
        supervisor = self.supervisor
        return container.init_of(supervisor) if supervisor else None

    @property
    def running(self) -> bool:
        """Whether its init lives; a frozen one lives."""
        return self.init is not None

    @contextlib.contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep everyone else's hands off this instance; not reentrant."""
        locks = home(self.site) / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / self.uuid).open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    # -- life

    def define(self, described: Record, told: Seed, lower: Path | None) -> None:
        """
        Put a new instance on disk, not started.

        Args:
            lower: The unpacked image; None when it boots from a volume.
        """
        with self.exclusively():
            self._halt(0)  # evacuated from a host that lives after all
            self.directory.mkdir(parents=True, exist_ok=True)
            described.save(self.directory)
            self._mount_root(described, lower)
            told.write(self.layer.root)

    def _mount_root(self, known: Record, lower: Path | None = None) -> None:
        if known.root_volume:
            disk.mount(Path(known.root_volume), self.layer.root)
        else:
            self.layer.mount(lower or self.lower(known))

    def lower(self, known: Record) -> Path:
        """The unpacked image below its layer."""
        for store in (images(self.site), self.site.cache / "rootfs"):
            if (store / known.image).is_dir():
                return store / known.image
        raise MachineError(
            f"the unpacked image {known.image} of instance {self.uuid} is gone; rebuild the instance"
        )

    def mount(self) -> None:
        """Mount its root directory without starting it; idempotent."""
        with self.exclusively():
            self._mount_root(self.known)

    def power_on(self) -> None:
        """Start it; nothing to do when it runs. Its namespace must be plugged."""
        with self.exclusively():
            self._power_on(self.known)

    def _power_on(self, known: Record) -> None:
        if self.running:
            self.group.thaw()
            known.but(power=Power.ON).save(self.directory)
            return
        self._trim_console()
        self._mount_root(known)
        for attachment in known.attachments:
            disk.mount(Path(attachment.file), self._volume_mount(attachment))
        kernel.ensure_netns(self.netns)
        supervisor = container.start(self._spec(known))
        known.but(power=Power.ON, supervisor=supervisor).save(self.directory)

    def _spec(self, known: Record) -> ContainerSpec:
        return ContainerSpec(
            name=f"{self.site.prefix}-{self.uuid[:8]}",
            hostname=known.hostname,
            uuid=self.uuid,
            root=self.layer.root,
            netns=self.netns,
            cgroup=self.group.path,
            console=self.console,
            memory_mb=known.memory_mb,
            vcpus=known.vcpus,
            binds=tuple(Bind(self._volume_mount(item), item.target) for item in known.attachments),
        )

    def _trim_console(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.console.touch()
        if self.console.stat().st_size > _CONSOLE_BYTES_MAX:
            self.console.write_bytes(self.console.read_bytes()[-_CONSOLE_BYTES_MAX // 2 :])

    def power_off(self, grace_seconds: float = 0.0) -> None:
        """Stop it, politely for so many seconds; what it has written stays."""
        with self.exclusively():
            known = self.known
            self._halt(grace_seconds)
            known.but(power=Power.OFF, supervisor=None).save(self.directory)

    def _halt(self, grace_seconds: float) -> None:
        companion.dismiss_all(self.directory)
        rootfs.unmount(self.hoard)
        supervisor = self.supervisor
        if supervisor is None:
            return
        if grace_seconds > 0:
            container.shut_down(supervisor, self.group, grace_seconds)
        else:
            container.kill(supervisor, self.group)

    def freeze(self, power: Power) -> None:
        """Stop its processes where they are, because the API said so (`paused` or `suspended`)."""
        with self.exclusively():
            known = self.known
            self.group.freeze()
            known.but(power=power).save(self.directory)

    def thaw(self) -> None:
        """Let its processes go on."""
        with self.exclusively():
            self.group.thaw()
            self.known.but(power=Power.ON).save(self.directory)

    def amend(self, **changes: object) -> None:
        """Change what is remembered of it; takes effect at the next start."""
        with self.exclusively():
            self.known.but(**changes).save(self.directory)

    def tell(self, metadata: Mapping[str, str]) -> None:
        """Tell its guest other metadata, as a metadata service would at the next question."""
        with self.exclusively():
            known = self.record
            if known is not None:
                self._mount_root(known)
                seed.tell(self.layer.root, metadata)

    def release(self) -> None:
        """
        Take it off the machine: no process, mount, group, namespace or interface is left. Its files stay.
        """
        with self.exclusively():
            self._halt(0)
            known = self.record
            if known:
                known.but(power=Power.OFF, supervisor=None).save(self.directory)
            self._unmount_all()
            kernel.delete_netns(self.netns)
            self.group.remove()

    def _unmount_all(self) -> None:
        volumes = self.directory / "volumes"
        if volumes.is_dir():
            for path in volumes.iterdir():
                rootfs.unmount(path)
        self.layer.unmount()

    def erase(self) -> None:
        """Release it and forget it."""
        self.release()
        shutil.rmtree(self.directory, ignore_errors=True)
        (home(self.site) / ".locks" / self.uuid).unlink(missing_ok=True)

    # -- disks

    @property
    def disks(self) -> list[Path]:
        """The mount points of all it can write to: its own disk and its volumes."""
        known = self.known
        own = self.layer.root if known.root_volume else self.layer.disk
        found = [own] if known.root_volume or known.disk_gb else []
        return found + [self._volume_mount(item) for item in known.attachments]

    def attach(self, attachment: Attachment) -> None:
        """Give it a volume, running or not; idempotent."""
        with self.exclusively():
            known = self.known
            others = tuple(
                item for item in known.attachments if item.volume_id != attachment.volume_id
            )
            init = self.init
            if init:
                directory = self._volume_mount(attachment)
                disk.mount(Path(attachment.file), directory)
                disk.attach(init, directory, attachment.target)
            known.but(attachments=(*others, attachment)).save(self.directory)

    def detach(self, volume_id: str) -> None:
        """
        Take a volume from it; idempotent.

        Raises:
            CommandError: A process inside uses it.
        """
        with self.exclusively():
            known = self.record
            if known is None:
                return
            leaving = [item for item in known.attachments if item.volume_id == volume_id]
            init = self.init
            for attachment in leaving:
                if init:
                    disk.detach(init, attachment.target)
                rootfs.unmount(self._volume_mount(attachment))
            kept = tuple(item for item in known.attachments if item not in leaving)
            known.but(attachments=kept).save(self.directory)


def all_machines(site: Site) -> list[Machine]:
    """Every instance that has a directory on this machine."""
    if not home(site).is_dir():
        return []
    directories = sorted(entry for entry in home(site).iterdir() if entry.is_dir())
    return [Machine(site, entry.name) for entry in directories if not entry.name.startswith(".")]
