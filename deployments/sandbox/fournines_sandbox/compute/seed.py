"""
What cloud-init inside an instance is told: the NoCloud seed, rendered from what Nova knows.

Pure rendering, and one writer. The network is set from outside, so the seed carries none.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DIRECTORY = "var/lib/cloud/seed/nocloud"


@dataclass(frozen=True, slots=True)
class Seed:
    """
    Identity and instructions of one instance.

    Args:
        instance_id: cloud-init runs its once-per-instance modules when this changes.
        user_data: As given to the API, decoded.
        metadata: The server's metadata, found in the instance as `ds.meta_data.meta`.
    """

    instance_id: str
    hostname: str
    user_data: bytes = b""
    availability_zone: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    public_keys: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()

    def files(self) -> dict[str, bytes]:
        """Paths relative to the root directory, and their bytes."""
        described = {
            "instance-id": self.instance_id,
            "local-hostname": self.hostname,
            "availability-zone": self.availability_zone,
            "meta": dict(self.metadata),
            "public-keys": list(self.public_keys),
            # All stages may run before the network is up: it is there from the first moment.
            "dsmode": "local",
        }
        user_data = self.user_data
        if user_data[:2] == b"\x1f\x8b":
            user_data = gzip.decompress(user_data)
        return {
            f"{DIRECTORY}/meta-data": json.dumps(described, indent=1).encode(),
            f"{DIRECTORY}/user-data": user_data or b"#cloud-config\n{}\n",
            "etc/hostname": f"{self.hostname}\n".encode(),
            "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {self.hostname}\n::1 localhost\n".encode(),
            # Empty when the subnet names none: a resolver without a server would stall every lookup for ten seconds.
            "etc/resolv.conf": "".join(
                f"nameserver {address}\n" for address in self.nameservers
            ).encode(),
        }

    def write(self, root: Path) -> None:
        """Put the files into a root directory."""
        for name, content in self.files().items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(content)


def tell(root: Path, metadata: Mapping[str, str]) -> None:
    """
    Change the metadata in the seed of a root directory, whole or not at all; nothing else of it changes.
    """
    path = root / DIRECTORY / "meta-data"
    try:
        told = json.loads(path.read_text())
    except FileNotFoundError:
        return  # not defined yet, or gone
    told["meta"] = dict(metadata)
    draft = path.with_name(".meta-data")
    draft.write_text(json.dumps(told, indent=1))
    draft.replace(path)
