"""
The base image: a small Debian with systemd and cloud-init, made once by mmdebstrap and kept as a tar archive.

Made on this machine from Debian's own packages; nothing in it is specific to one cloud. The archive's name carries a
hash of the recipe, so a changed recipe makes a new image and an unchanged one is never made twice.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from fournines_sandbox.compute.command import run
from fournines_sandbox.compute.rootfs import ImageStore
from fournines_sandbox.site import Site

NAME = "debian-12"
"""The image's name in Glance."""

PROPERTY = "fournines_base"
"""
Property of the Glance image that names the unpacked copy in the cache, so that no instance waits for the first one's
download.
"""

MIN_DISK_GB = 1
MIN_RAM_MB = 128

_SUITE = "bookworm"
_PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "cloud-init",
    "python3-minimal",
    "python3",
    "iproute2",
    "procps",
    "curl",
    "ca-certificates",
)
_DOCUMENTATION = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
)
_GUEST = "fournines_sandbox.guest"
_FILES = {
    "cloud.cfg": "etc/cloud/cloud.cfg.d/90_fournines.cfg",
    "stages.py": "usr/lib/fournines/cloud-init-stages",
    "cloud-final.service": "etc/systemd/system/cloud-final.service",
}
# Seconds of a boot that a container has no use for; the stages of cloud-init run as one (see guest/stages.py).
_MASKED = (
    "cloud-init-local.service",
    "cloud-init.service",
    "cloud-config.service",
    "cloud-init-hotplugd.socket",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "console-getty.service",
    "systemd-pstore.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-binfmt.service",
    "systemd-random-seed.service",
    "systemd-machine-id-commit.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-networkd-wait-online.service",
)


def _recipe() -> list[str]:
    guest = resources.files(_GUEST)
    steps = []
    for source, target in sorted(_FILES.items()):
        steps.append(f'--customize-hook=mkdir -p "$(dirname "$1/{target}")"')
        steps.append(f"--customize-hook=upload {guest / source} /{target}")
    masks = " ".join(f'"$1/etc/systemd/system/{unit}"' for unit in _MASKED)
    return [
        "--variant=minbase",
        "--mode=root",
        f"--include={','.join(_PACKAGES)}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _DOCUMENTATION),
        *steps,
        '--customize-hook=chmod 755 "$1/usr/lib/fournines/cloud-init-stages"',
        f'--customize-hook=for unit in {masks}; do ln -sf /dev/null "$unit"; done',
        # The generator looks for data sources at each boot; there is one, and it is always there.
        '--customize-hook=ln -sf /dev/null "$1/etc/systemd/system-generators/cloud-init-generator" 2>/dev/null || '
        '{ mkdir -p "$1/etc/systemd/system-generators"; '
        'ln -sf /dev/null "$1/etc/systemd/system-generators/cloud-init-generator"; }',
        '--customize-hook=mkdir -p "$1/etc/systemd/system/multi-user.target.wants"; '
        "ln -sf ../cloud-final.service "
        '"$1/etc/systemd/system/multi-user.target.wants/cloud-final.service"',
        '--customize-hook=rm -f "$1/etc/machine-id" "$1/etc/hostname"; : > "$1/etc/resolv.conf"',
        _SUITE,
    ]


def path(site: Site) -> Path:
    """Where the archive of the present recipe is, or will be."""
    guest = resources.files(_GUEST)
    told = "\n".join([*_recipe(), *((guest / name).read_text() for name in sorted(_FILES))])
    # The files' place on this machine must not change the key.
    told = told.replace(str(guest), "")
    return site.cache / f"{NAME}-{hashlib.sha256(told.encode()).hexdigest()[:12]}.tar"


def ensure(site: Site, say: Callable[[str], None] = lambda _: None) -> Path:
    """
    The archive, made now if it is not there (about 40 s and 120 MB of downloads).

    Raises:
        CommandError: mmdebstrap failed, most often for want of a package mirror.
    """
    archive = path(site)
    if not archive.exists():
        say("making the Debian image (once)")
        _make(archive)
    store = ImageStore(unpacked(site))
    store.ensure(archive.stem, lambda target: target.symlink_to(archive))
    return archive


def _make(archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    scratch = archive.with_suffix(".part.tar")
    try:
        run("mmdebstrap", "--quiet", *_recipe(), str(scratch), timeout_seconds=1200)
        scratch.rename(archive)
    finally:
        scratch.unlink(missing_ok=True)


def unpacked(site: Site) -> Path:
    """The directory of unpacked base images, by the archive's stem."""
    return site.cache / "rootfs"


def properties(site: Site) -> dict[str, str]:
    """Properties the image is to have in Glance."""
    return {
        PROPERTY: path(site).stem,
        "os_distro": "debian",
        "os_version": "12",
        "os_type": "linux",
    }


def copy_from(site: Site, other: Path) -> bool:
    """Take the archive from another cloud's cache if it has it; whether it had."""
    wanted = path(site)
    if not wanted.exists() and (other / wanted.name).exists():
        site.cache.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(other / wanted.name, wanted)
    return wanted.exists()
