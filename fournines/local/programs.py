"""
Which programs run locally, with their commands, environment and readiness. Pure: settings in, values out.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from alerts import configuration
from fournines.settings import Settings


@dataclass(frozen=True, slots=True)
class Program:
    """
    One supervised program.

    Attributes:
        ready_url: Answers 200 once the program serves; None for programs without a door.
        stop_seconds: How long it may take to stop by itself.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    ready_url: str | None = None
    stop_seconds: int = 10
    priority: int = 100


def environment(settings: Settings) -> dict[str, str]:
    """
    What every local program, and a person's own Prefect command, needs to find this checkout's servers.
    """
    found = {
        "FOURNINES_STATE_DIR": str(settings.state_dir),
        "FOURNINES_SLOT": str(settings.resolved_slot),
        "FOURNINES_CLOUD": settings.cloud,
        "PREFECT_HOME": str(settings.state_dir / "prefect"),
        "PREFECT_API_URL": f"{settings.url('prefect')}/api",
        # deployments/automations.yaml takes a run without a sign of life for dead.
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # A server restart of up to 75 s must not lose a run's record (measured).
        "PREFECT_CLIENT_MAX_RETRIES": "8",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }
    if settings.clouds_file is not None:
        found["FOURNINES_CLOUDS_FILE"] = str(settings.clouds_file)
    if settings.database_url is not None:
        found["FOURNINES_DATABASE_URL"] = settings.database_url
    return found


def programs(settings: Settings) -> tuple[Program, ...]:
    """
    The local programs, in the order they are started.
    """
    return (
        _prefect_server(settings),
        _prometheus(settings),
        _alertmanager(settings),
        _blackbox(settings),
        Program(
            name="healer",
            command=(_script("fournines"), "healer"),
            ready_url=f"{settings.url('healer')}/healthz",
            priority=20,
        ),
        Program(
            name="prefect-worker",
            command=(
                _script("prefect"),
                *("worker", "start", "--pool", "fournines", "--type", "process"),
                *("--name", "local", "--no-create-pool-if-not-found"),
            ),
            stop_seconds=20,
            priority=30,
        ),
    )


def _prefect_server(settings: Settings) -> Program:
    url = settings.url("prefect")
    return Program(
        name="prefect-server",
        command=(
            _script("prefect"),
            *("server", "start", "--host", "127.0.0.1"),
            *("--port", str(settings.port("prefect"))),
        ),
        environment={
            "PREFECT_UI_API_URL": f"{url}/api",
            # Finished runs are not pruned by default.
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        },
        ready_url=f"{url}/api/health",
        priority=10,
    )


def _prometheus(settings: Settings) -> Program:
    return Program(
        name="prometheus",
        command=tuple(
            configuration.prometheus_command(
                addresses(settings),
                config_dir(settings),
                settings.state_dir / "prometheus",
            )
        ),
        environment=configuration.PROMETHEUS_ENVIRONMENT,
        ready_url=f"{settings.url('prometheus')}/-/ready",
    )


def _alertmanager(settings: Settings) -> Program:
    return Program(
        name="alertmanager",
        command=tuple(
            configuration.alertmanager_command(
                addresses(settings),
                config_dir(settings),
                settings.state_dir / "alertmanager",
            )
        ),
        ready_url=f"{settings.url('alertmanager')}/-/ready",
    )


def _blackbox(settings: Settings) -> Program:
    return Program(
        name="blackbox",
        command=tuple(
            configuration.blackbox_command(addresses(settings), config_dir(settings))
        ),
        ready_url=f"{settings.url('blackbox')}/-/healthy",
    )


def addresses(settings: Settings) -> configuration.Addresses:
    """
    Where the local monitoring listens.
    """
    return configuration.Addresses(
        prometheus=f"127.0.0.1:{settings.port('prometheus')}",
        alertmanager=f"127.0.0.1:{settings.port('alertmanager')}",
        blackbox=f"127.0.0.1:{settings.port('blackbox')}",
        healer=f"127.0.0.1:{settings.port('healer')}",
        token_file=settings.webhook_token_file,
        page_url=_revealed(settings.page_url),
        dead_man_url=_revealed(settings.dead_man_url),
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def config_dir(settings: Settings) -> Path:
    """
    Where the rendered configurations lie.
    """
    return settings.state_dir / "etc"


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)
