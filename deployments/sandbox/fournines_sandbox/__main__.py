"""
The embedded cloud's command line: `python -m fournines_sandbox --home DIR --slot N up|down|status|reset|break|mend`.

Exit status: 0 done, 1 a sentence says what went wrong, 2 wrong usage.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from fournines_sandbox.site import SLOTS, Site

_FAULTS = {"break": "break_", "mend": "mend"}
_EXPECTED = (RuntimeError, OSError, subprocess.SubprocessError)
_EXPECTED_FROM = frozenset({"openstack", "keystoneauth1", "pymysql"})
_CALLED = "FOURNINES_CALLED"
"""Environment variable: what a person typed to get here, for usage lines."""


class _Commands(click.Group):
    """
    The commands, of which those for faults are loaded only when asked for.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_FAULTS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _FAULTS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(_load("faults.command"), _FAULTS[cmd_name])
        return command


@click.group(cls=_Commands)
@click.option("--home", type=click.Path(path_type=Path), required=True, help="State directory.")
@click.option(
    "--slot",
    type=click.IntRange(0, SLOTS - 1),
    default=0,
    show_default=True,
    help="Number from which ports, addresses and names follow; one per cloud of a machine.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="Where base image and schemas are kept; below the state directory by default.",
)
@click.pass_context
def cli(context: click.Context, home: Path, slot: int, cache: Path | None) -> None:
    """
    OpenStack itself on this machine.
    """
    context.obj = Site(home.resolve(), slot, cache.resolve() if cache else None)


@cli.command()
@click.option(
    "--clouds-file",
    type=click.Path(path_type=Path),
    help="The clouds.yaml to write the entries into; clouds.yaml in the state directory by default.",
)
@click.pass_obj
def up(site: Site, clouds_file: Path | None) -> None:
    """
    Start the cloud; already running is fine.
    """
    path = (clouds_file or site.home / "clouds.yaml").resolve()
    with _alone(site):
        _load("lifecycle").up(site, path, _say)
    _say(f"The cloud is up: OS_CLIENT_CONFIG_FILE={path} OS_CLOUD=fournines")


@cli.command()
@click.pass_obj
def down(site: Site) -> None:
    """
    Stop the cloud; its state stays.
    """
    with _alone(site):
        _load("lifecycle").down(site, _say)


@cli.command()
@click.pass_obj
def reset(site: Site) -> None:
    """
    Stop the cloud and forget its state.
    """
    with _alone(site):
        _load("lifecycle").reset(site, _say)


@cli.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def status_(site: Site, as_json: bool) -> None:
    """
    What runs, and whether it answers. Exit status 0 only if all is well.
    """
    status = _load("status")
    report = status.observed(site)
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        click.echo(status.rendered(report))
    sys.exit(0 if report.up else 1)


@contextmanager
def _alone(site: Site) -> Iterator[None]:
    """Two changes of one cloud at once wait for each other; the kernel lifts the lock of the dead."""
    site.home.mkdir(parents=True, exist_ok=True)
    with (site.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another command on this cloud")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _load(module: str) -> Any:
    """A module of this package, when it is needed: some bring all of OpenStack's clients with them."""
    return importlib.import_module(f"fournines_sandbox.{module}")


def _say(line: str) -> None:
    click.echo(line)


def main() -> None:
    """
    Run the command line; expected failures become one sentence.
    """
    try:
        cli(prog_name=os.environ.get(_CALLED))
    except Exception as error:
        # Named by their modules, because importing these costs seconds that most commands need not spend.
        foreign = type(error).__module__.partition(".")[0] in _EXPECTED_FROM
        if not foreign and not isinstance(error, _EXPECTED):
            raise
        click.echo(f"fournines cloud: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
