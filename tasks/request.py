"""
From a platform file to what should be: reading the file, the catalogue, and the artefacts the file names.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import httpx

from blueprints.artefact import Fetch, is_url, pack_folder
from blueprints.catalogue import all_blueprints
from blueprints.compiling import compile_platform
from blueprints.platform_file import PlatformFile, gather_artefacts, load
from fournines.concealment import concealed
from fournines.model.desired import Platform
from fournines.model.plain import without_password

DOWNLOAD_BYTES_MAX = 512 * 1024 * 1024
"""A larger application is an image's business."""

DOWNLOAD_TIMEOUT_SECONDS = 60
"""Between two pieces of a download."""

CLONE_TIMEOUT_SECONDS = 300
"""A shallow clone takes seconds; five minutes means that nobody answers."""


def read_platform(path: Path) -> Platform:
    """
    What the file asks for.

    Raises:
        BlueprintError: With every problem, its file, line and path.
    """
    return desired(load(path), path.parent)


def desired(file: PlatformFile, folder: Path) -> Platform:
    """
    What a file already read asks for; paths in it are relative to `folder`. Raises as `read_platform`.
    """
    catalogue = all_blueprints()
    artefacts = gather_artefacts(file, catalogue, fetcher(folder))
    return compile_platform(file, catalogue, artefacts)


def fetcher(folder: Path) -> Fetch:
    """
    How artefacts come here: tarballs, folders and git repositories, by URL or by a path below `folder`.
    """

    def fetch(reference: str) -> bytes:
        if without_password(reference) != reference:
            raise OSError(
                "its address holds a password, which would stand in the store, in the UI and on a command line; "
                "leave it out and let git's credential helper or ~/.netrc know it"
            )
        if reference.endswith(".git") or reference.startswith("git+"):
            return _clone(reference.removeprefix("git+"))
        if is_url(reference):
            return _download(reference)
        path = folder / reference
        if path.is_dir():
            return _archive(path) if (path / ".git").exists() else pack_folder(path)
        return path.read_bytes()

    return fetch


def _download(url: str) -> bytes:
    pieces = bytearray()
    try:
        with httpx.stream(
            "GET", url, timeout=DOWNLOAD_TIMEOUT_SECONDS, follow_redirects=True
        ) as response:
            response.raise_for_status()
            for piece in response.iter_bytes():
                pieces += piece
                if len(pieces) > DOWNLOAD_BYTES_MAX:
                    raise OSError(f"is larger than {DOWNLOAD_BYTES_MAX} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(concealed(f"cannot be fetched: {error}")) from error
    return bytes(pieces)


def _archive(repository: Path) -> bytes:
    # What is committed is deployed: a file forgotten in the work tree is not.
    return _git("-C", str(repository), "archive", "--format=tar.gz", "HEAD", seconds=60)


def _clone(url: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="fournines-artefact-") as folder:
        words = ("clone", "--quiet", "--depth", "1", "--", url, folder)
        _git(*words, seconds=CLONE_TIMEOUT_SECONDS)
        return _archive(Path(folder))


def _git(*words: str, seconds: float) -> bytes:
    try:
        done = subprocess.run(
            ["git", *words], check=False, capture_output=True, timeout=seconds
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise OSError(concealed(f"git {words[0]}: {error}")) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(concealed(f"git says: {said[-1] if said else done.returncode}"))
    return done.stdout
