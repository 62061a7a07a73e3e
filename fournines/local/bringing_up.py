"""
Bring everything local up, and down again: the embedded cloud, then the programs, then Prefect's deployments.

Each phase is idempotent and says what it does while it does it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import stamina

from alerts import configuration
from fournines import tokens
from fournines.local import automations, cloud_command, programs, supervision
from fournines.local.programs import Program
from fournines.settings import ROOT, Settings
from fournines.store.sql import open_store

EMBEDDED_CLOUD = "fournines"
"""The clouds.yaml entry that the embedded OpenStack writes."""

READY_SECONDS = 300
"""A Prefect server starts in 9 to 49 s on two busy cores, and needed more than 120 s beside five other clouds (measured)."""

PREFECT_SECONDS = 120
PREFECT_ATTEMPTS = 3
"""Telling Prefect of our deployments takes 8 s, and a minute on busy cores."""

Say = Callable[[str], None]


class LocalError(Exception):
    """
    Something local could not be started; the message says what to do.
    """


def bring_up(settings: Settings, say: Say) -> None:
    """
    Start what does not run yet.

    Raises:
        LocalError: A port is taken, a program does not come up, or the embedded cloud failed.
    """
    if settings.cloud == EMBEDDED_CLOUD:
        _cloud(settings, "up")
    given = settings.webhook_token
    tokens.ensure(
        settings.webhook_token_file, given.get_secret_value() if given else None
    )
    say("database of cases, journal and registry")
    open_store(settings.store_url).close()
    say("configurations of Prometheus, Alertmanager and blackbox exporter")
    _write_configurations(settings)
    wanted = programs.programs(settings)
    if supervision.running(settings):
        supervision.reread(settings, ("prometheus", "alertmanager", "blackbox"))
    else:
        _check_ports(settings)
        say("Prefect's database")
        tell_prefect(settings, "server", "database", "upgrade", "-y")
    say("programs: " + ", ".join(program.name for program in wanted))
    supervision.start(settings, wanted)
    _await_ready(settings, wanted, say)
    say("Prefect's work pool and deployments (the run buttons)")
    _prefect_deployments(settings)
    automations.apply(settings.url("prefect"))


def bring_down(settings: Settings, say: Say) -> None:
    """
    Stop the programs and the embedded cloud; state stays.
    """
    say("stopping programs")
    supervision.stop(settings)
    if settings.cloud == EMBEDDED_CLOUD:
        _cloud(settings, "down")


def _cloud(settings: Settings, command: str) -> None:
    interpreter = cloud_command.interpreter()
    if not interpreter.exists():
        raise LocalError(
            "the embedded cloud's virtual environment is missing; run: make setup"
        )
    done = subprocess.run(
        [
            str(interpreter),
            *("-m", "fournines_sandbox", "--home", str(settings.sandbox_home)),
            *("--slot", str(settings.resolved_slot), command),
            *(("--clouds-file", str(ROOT / "clouds.yaml")) if command == "up" else ()),
        ],
        check=False,
    )
    if done.returncode != 0:
        raise LocalError(
            f"the embedded cloud did not go {command}; what it said stands above, "
            f"its logs lie in {settings.sandbox_home / 'log'}"
        )


def _write_configurations(settings: Settings) -> None:
    folder = programs.config_dir(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in configuration.render(programs.addresses(settings)).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        # Alertmanager's holds the URLs of pagers, and those hold keys.
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(text)


def _check_ports(settings: Settings) -> None:
    for name in ("prefect", "prometheus", "alertmanager", "blackbox", "healer"):
        port = settings.port(name)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise LocalError(
                    f"port {port}, needed by {name}, is in use by another program; "
                    "stop it, or choose another slot with FOURNINES_SLOT=0..49"
                ) from error


def _await_ready(settings: Settings, wanted: tuple[Program, ...], say: Say) -> None:
    deadline = time.monotonic() + READY_SECONDS
    waiting = {p.name: p.ready_url for p in wanted if p.ready_url is not None}
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        while waiting:
            for name, url in list(waiting.items()):
                if _answers(client, url):
                    say(f"{name} is ready")
                    del waiting[name]
            if time.monotonic() > deadline:
                late = ", ".join(sorted(waiting))
                raise LocalError(
                    f"not ready after {READY_SECONDS} s: {late}; "
                    f"read their logs in {settings.log_dir}"
                )
            time.sleep(0.25)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _prefect_deployments(settings: Settings) -> None:
    tell_prefect(
        settings,
        *("work-pool", "create", "fournines", "--type", "process", "--overwrite"),
    )
    tell_prefect(
        settings,
        *("--no-prompt", "deploy", "--all"),
        *("--prefect-file", str(ROOT / "deployments" / "prefect.yaml")),
    )


Run = Callable[[Settings, Sequence[str]], subprocess.CompletedProcess[str]]


def tell_prefect(settings: Settings, *words: str, run: Run | None = None) -> None:
    """
    A command of Prefect's own, which may be given twice. Its client waits for ever for an answer that a busy server has lost.

    Raises:
        LocalError: It failed, or no answer came however often it was given.
    """
    said = f"`prefect {' '.join(words)}`"
    try:
        for trial in stamina.retry_context(
            on=subprocess.TimeoutExpired, attempts=PREFECT_ATTEMPTS, timeout=None
        ):
            with trial:
                done = (run or _run)(settings, words)
    except subprocess.TimeoutExpired as error:
        raise LocalError(
            f"{said} had no answer within {PREFECT_SECONDS} s, {PREFECT_ATTEMPTS} times; read "
            f"{settings.log_dir}/prefect-server.log, then: fournines down, and again"
        ) from error
    if done.returncode != 0:
        raise LocalError(f"{said} failed: {done.stdout[-500:]}{done.stderr[-500:]}")


def _run(settings: Settings, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "prefect"), *words],
        check=False,
        cwd=ROOT,
        env={**os.environ, **programs.environment(settings)},
        capture_output=True,
        text=True,
        timeout=PREFECT_SECONDS,
    )
