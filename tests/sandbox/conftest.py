"""
The embedded cloud for the tests that need it: one per test run, brought up if it is not running already.

`FOURNINES_SANDBOX_HOME`, `FOURNINES_SANDBOX_SLOT` and `FOURNINES_SANDBOX_PYTHON` point the
tests at another cloud than this checkout's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from fournines.local import cloud_command
from fournines.settings import settings

UP_SECONDS_MAX = 900
"""A first `up` downloads and migrates; a warm one takes less than a minute."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """
    One embedded cloud, driven by its own command line.
    """

    home: Path
    slot: int
    cache: Path
    python: Path

    @property
    def prefix(self) -> str:
        """What the names of its kernel objects begin with."""
        return f"f9-{self.slot:02d}"

    @property
    def clouds_file(self) -> Path:
        """Its clouds.yaml."""
        return self.home / "clouds.yaml"

    @property
    def gateway(self) -> str:
        """The host's address on the external network."""
        return f"10.{100 + 2 * self.slot}.0.1"

    def run(
        self, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """
        Run one of the cloud's commands.
        """
        done = subprocess.run(
            [
                str(self.python),
                *("-m", "fournines_sandbox", "--home", str(self.home)),
                *("--slot", str(self.slot), "--cache", str(self.cache)),
                *arguments,
            ],
            capture_output=True,
            text=True,
            timeout=UP_SECONDS_MAX,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def status(self) -> dict[str, Any]:
        """
        The cloud's own report.
        """
        answer: dict[str, Any] = json.loads(
            self.run("status", "--json", check=False).stdout
        )
        return answer

    def connect(self, cloud: str) -> Connection:
        """
        The cloud through openstacksdk.
        """
        config = OpenStackConfig(
            config_files=[str(self.clouds_file)], load_envvars=False
        )
        return Connection(config=config.get_one(cloud=cloud))

    def inside(
        self, server_id: str, *argv: str, timeout_seconds: float = 10
    ) -> subprocess.CompletedProcess[str]:
        """
        Run a program of the host in the network namespace of a server.
        """
        netns = f"{self.prefix}-vm-{server_id[:13]}"
        return subprocess.run(
            ["ip", "netns", "exec", netns, *argv],
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )


@pytest.fixture(scope="session")
def cloud() -> Iterator[Sandbox]:
    """
    A running embedded cloud; taken down afterwards only if it was down before.
    """
    if os.geteuid() != 0:
        pytest.skip("the embedded cloud needs root")
    sandbox = _chosen()
    if not sandbox.python.exists():
        pytest.skip(f"OpenStack is not installed at {sandbox.python}; run: make setup")
    was_up = sandbox.status()["up"]
    sandbox.run("up", "--clouds-file", str(sandbox.clouds_file))
    yield sandbox
    if not was_up:
        sandbox.run("down")


@pytest.fixture(scope="session")
def member(cloud: Sandbox) -> Connection:
    """
    The cloud as its project user sees it.
    """
    return cloud.connect("fournines")


@pytest.fixture(scope="session")
def admin(cloud: Sandbox) -> Connection:
    """
    The cloud as its administrator sees it.
    """
    return cloud.connect("fournines-admin")


@pytest.fixture
def breaking(cloud: Sandbox) -> Iterator[Callable[..., dict[str, Any]]]:
    """
    Break something wider than an instance; all that stands is mended afterwards.
    """

    def now(kind: str, *words: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(
            cloud.run("break", kind, *words, "--json").stdout
        )
        return told

    yield now
    cloud.run("mend", "all", check=False)


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], bool], float], bool]:
    """
    Whether a condition comes true within so many seconds.
    """

    def comes_true(condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.1)
        return condition()

    return comes_true


def _chosen() -> Sandbox:
    found = settings()
    home = os.environ.get("FOURNINES_SANDBOX_HOME")
    slot = os.environ.get("FOURNINES_SANDBOX_SLOT")
    python = os.environ.get("FOURNINES_SANDBOX_PYTHON")
    root = Path(home) if home else found.sandbox_home
    cache = os.environ.get("FOURNINES_SANDBOX_CACHE")
    return Sandbox(
        home=root,
        slot=int(slot) if slot else found.resolved_slot,
        cache=Path(cache) if cache else root / "cache",
        python=Path(python) if python else cloud_command.interpreter(),
    )
