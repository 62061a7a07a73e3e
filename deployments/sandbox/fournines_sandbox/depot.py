"""
The package depot: what the images' recipes install, downloaded once on the machine and offered to instances, which have no
way to the internet.

Packages are chosen by apt itself against what is installed in the base image, from the base image's own sources and keys,
in a root directory of its own: what the machine has installed or configured plays no part. The result is a flat repository,
kept in the cache under a name that follows from the base image and the recipes, so it is made once and again only when one
of them has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from fournines_sandbox import image
from fournines_sandbox.compute.command import CommandError, run
from fournines_sandbox.site import Site

RECIPES = Path(__file__).resolve().parents[2] / "images"
"""The recipes of this checkout: `<name>/recipe.yaml`."""

PACKAGES_FILE = "Packages"

_VERSION = 1
"""Raised when the way of choosing changes, so that depots made before are not taken for the present one's."""

_UNKNOWN = re.compile(r"(?:Unable to locate package |Package ')([a-z0-9][a-z0-9+.-]*)")
_COMPLAINT = re.compile(r"E: (.+)")
_DOWNLOAD_SECONDS_MAX = 1800
_UNUSED_SECONDS_MIN = 7 * 24 * 3600


class DepotError(RuntimeError):
    """
    The depot could not be made; the message is one sentence.
    """


def source(site: Site) -> str:
    """
    The depot as a line of an apt source list. It is the host's own, on the cloud's own network: there is nobody to sign it.
    """
    return f"deb [trusted=yes] http://{site.external_network[1]}:{site.depot_port}/ ./"


def wanted(recipes: Path = RECIPES) -> dict[str, list[str]]:
    """
    What each image has installed beyond the base image, its ancestors' packages included.
    """
    read = {
        path.parent.name: yaml.safe_load(path.read_text())
        for path in sorted(recipes.glob("*/recipe.yaml"))
    }

    def packages(name: str) -> set[str]:
        found: set[str] = set()
        met: set[str] = set()
        while name in read and name not in met:
            told = read[name]
            met.add(name)
            found |= set(told.get("packages") or ())
            name = str(told.get("parent"))
        return found

    return {name: sorted(packages(name)) for name in read}


def path(site: Site) -> Path:
    """Where the depot of the present recipes is, or will be."""
    told = json.dumps([_VERSION, image.path(site).stem, wanted()])
    return site.cache / f"depot-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def served(site: Site) -> Path:
    """What the depot's process serves: a link to the depot that was made last."""
    return site.state / "depot"


def ensure(site: Site) -> Path:
    """
    The depot, made now if it is not there (half a minute and some 100 MB of downloads). The base image must be unpacked.

    Raises:
        DepotError: A package is in none of the sources, or they cannot be reached.
    """
    depot = path(site)
    if not depot.exists():
        # Clouds that share a cache may be at it both; whoever is first has made it for all.
        scratch = Path(tempfile.mkdtemp(prefix=f".{depot.name}-", dir=site.cache))
        try:
            _make(scratch, image.unpacked(site) / image.path(site).stem)
            with contextlib.suppress(OSError):
                scratch.rename(depot)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        _forget_old(site, depot)
    link = site.state / ".depot"
    link.unlink(missing_ok=True)
    link.symlink_to(depot.resolve())
    link.rename(served(site))
    return depot


def _forget_old(site: Site, present: Path) -> None:
    """Depots of earlier recipes; a young one may be another checkout's that shares the cache."""
    for other in site.cache.glob("depot-*"):
        if other != present and time.time() - other.stat().st_mtime > _UNUSED_SECONDS_MIN:
            shutil.rmtree(other, ignore_errors=True)


def _make(depot: Path, base: Path) -> None:
    options = _apt(depot / "apt", base, depot)
    try:
        _fetch(["update"], options)
    except CommandError as error:
        raise DepotError(
            f"the base image's package sources cannot be read: {_last(error)}"
        ) from error
    for name, packages in wanted().items():
        if not packages:
            continue
        try:
            _fetch(["install", "--download-only", "--no-install-recommends", *packages], options)
        except CommandError as error:
            raise DepotError(_refusal(name, error)) from error
    shutil.rmtree(depot / "apt")
    for leftover in (depot / "partial", depot / "lock"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)
    (depot / PACKAGES_FILE).write_text(
        "\n".join(_described(file) for file in sorted(depot.glob("*.deb")))
    )


def _apt(root: Path, base: Path, archives: Path) -> list[str]:
    """Options that give apt a root of its own over the base image's state; proxies and the like stay the machine's."""
    for directory in (root / "lists/partial", root / "cache", archives / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    etc = base / "etc/apt"
    told = {
        "Dir::State": root,
        "Dir::State::lists": root / "lists",
        "Dir::State::status": base / "var/lib/dpkg/status",
        "Dir::State::extended_states": root / "extended_states",
        "Dir::Cache": root / "cache",
        "Dir::Cache::archives": archives,
        "Dir::Etc::sourcelist": etc / "sources.list",
        "Dir::Etc::sourceparts": etc / "sources.list.d",
        "Dir::Etc::trustedparts": etc / "trusted.gpg.d",
        "Dir::Etc::preferences": etc / "preferences",
        "Dir::Etc::preferencesparts": etc / "preferences.d",
        "Acquire::Languages": "none",
        "APT::Architecture": run("dpkg", "--print-architecture").strip(),
        "APT::Sandbox::User": "root",
        "APT::Keep-Downloaded-Packages": "true",
        "DPkg::Post-Invoke": "",
        "APT::Update::Post-Invoke": "",
        "APT::Update::Post-Invoke-Success": "",
    }
    return [word for key, value in told.items() for word in ("-o", f"{key}={value}")]


def _fetch(words: list[str], options: list[str]) -> None:
    run("apt-get", "-q", "-y", *options, *words, timeout_seconds=_DOWNLOAD_SECONDS_MAX)


def _refusal(name: str, error: CommandError) -> str:
    found = _UNKNOWN.search(str(error))
    if found:
        return (
            f"{RECIPES / name / 'recipe.yaml'}: packages: {found.group(1)} is in none of the base image's sources; "
            "correct its name or take it out"
        )
    return f"the packages of image {name} cannot be downloaded: {_last(error)}"


def _last(error: CommandError) -> str:
    told = _COMPLAINT.findall(str(error))
    return str(told[-1]) if told else str(error).splitlines()[-1]


def _described(file: Path) -> str:
    """A package's paragraph of the index."""
    content = file.read_bytes()
    control = run("dpkg-deb", "--field", str(file)).rstrip()
    return (
        f"{control}\nFilename: ./{file.name}\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
    )


def ensured(site: Site, say: Callable[[str], None]) -> None:
    """
    Make the depot if it can be made. A cloud without one is a cloud that cannot bake images: said, not fatal.
    """
    try:
        ensure(site)
    except DepotError as error:
        say(f"no package depot, so no images can be baked here: {error}")
