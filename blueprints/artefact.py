"""
Artefacts: what the instances of an application group run.

An artefact is a gzipped tarball. Small ones travel in the user-data; larger ones are fetched by the instances from a URL,
checked by their SHA-256. Reading folders is done here; fetching is a callable's business, given by the caller.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from blueprints.problem import ArtefactInvalid, Problem
from fournines.model.value import Value

SAMPLE = "sample"
"""The reference of a blueprint's built-in application."""

INLINE_BYTES_MAX = 33 * 1024
"""Nova takes 65,535 bytes of base64, which is 49,151 of user-data; the tarball stands in it in base64 again, so 33 KiB
take 45,056 of them and leave 4,095 to the template."""

UNPACKED_BYTES_MAX = 256 * 1024 * 1024
"""A small archive must not unpack into a full disk."""

FILES_MAX = 5_000
_URL_PREFIXES = ("http://", "https://")
_SKIPPED = frozenset({".git", "__pycache__", ".venv", "node_modules"})

Fetch = Callable[[str], bytes]
"""Gives the gzipped tarball for a reference: a URL or a path of a tarball, a folder or a git repository."""


class Artefact(Value):
    """
    An artefact that was looked at.

    Attributes:
        inline: The tarball in base64, when it is small enough.
        url: Where instances fetch it, otherwise.
    """

    reference: str
    sha256: str
    size_bytes: int
    inline: str | None = None
    url: str | None = None


def is_url(reference: str) -> bool:
    """
    Whether it is to be fetched from a web server.
    """
    return reference.startswith(_URL_PREFIXES)


def _instances_can_fetch(reference: str) -> bool:
    return is_url(reference) and not reference.endswith(".git")


def artefact(reference: str, content: bytes) -> Artefact:
    """
    Look at a tarball's bytes.

    Raises:
        ArtefactInvalid: It is no gzipped tarball, leads out of its folder, or is too large to travel.
    """
    _check_archive(reference, content)
    small = len(content) <= INLINE_BYTES_MAX
    if not small and not _instances_can_fetch(reference):
        raise _invalid(
            reference,
            f"has {len(content)} bytes packed, and only {INLINE_BYTES_MAX} fit into "
            "user-data; put the tarball on a web server that the instances reach and "
            "give its URL",
        )
    return Artefact(
        reference=reference,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        inline=base64.b64encode(content).decode() if small else None,
        url=None if small else reference,
    )


def pack_folder(folder: Path) -> bytes:
    """
    A folder as a gzipped tarball: the same content gives the same bytes, on every machine.

    Raises:
        ArtefactInvalid: The folder is empty or holds too much.
    """
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not _SKIPPED & set(path.relative_to(folder).parts)
    )
    if not files:
        raise _invalid(str(folder), "is empty; an application needs at least one file")
    if len(files) > FILES_MAX:
        raise _invalid(str(folder), f"holds more than {FILES_MAX} files")
    return pack(
        (path.relative_to(folder).as_posix(), path.read_bytes(), _mode(path))
        for path in files
    )


def pack(files: Iterable[tuple[str, bytes, int]]) -> bytes:
    """
    Files (name, content, mode) as a gzipped tarball without dates or owners.
    """
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content, mode in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = mode
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), compresslevel=9, mtime=0)


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _check_archive(reference: str, content: bytes) -> None:
    try:
        unpacked = 0
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
            for count, member in enumerate(tar, start=1):
                unpacked += member.size
                if unpacked > UNPACKED_BYTES_MAX or count > FILES_MAX:
                    raise _invalid(
                        reference,
                        f"unpacks to more than {UNPACKED_BYTES_MAX} bytes or "
                        f"{FILES_MAX} files",
                    )
                _check_member(reference, member)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise _invalid(reference, f"is no gzipped tarball: {error}") from error


def _check_member(reference: str, member: tarfile.TarInfo) -> None:
    paths = [member.name, *([member.linkname] if member.issym() else ())]
    for text in paths:
        path = PurePosixPath(text)
        if path.is_absolute() or ".." in path.parts:
            raise _invalid(reference, f"holds {text!r}, which leads out of its folder")


def _invalid(reference: str, message: str) -> ArtefactInvalid:
    return ArtefactInvalid([Problem(reference, message)])
