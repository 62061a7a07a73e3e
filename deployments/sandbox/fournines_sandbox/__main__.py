"""
The embedded cloud's command line: `python -m fournines_sandbox --home DIR --slot N up|down|status|reset|break|mend`.

Exit status: 0 done, 1 a sentence says what went wrong, 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from fournines_sandbox import lifecycle, status
from fournines_sandbox.site import SLOTS, Site


@click.group()
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
    lifecycle.up(site, path, _say)
    _say(f"The cloud is up: OS_CLIENT_CONFIG_FILE={path} OS_CLOUD=fournines")


@cli.command()
@click.pass_obj
def down(site: Site) -> None:
    """
    Stop the cloud; its state stays.
    """
    lifecycle.down(site, _say)


@cli.command()
@click.pass_obj
def reset(site: Site) -> None:
    """
    Stop the cloud and forget its state.
    """
    lifecycle.reset(site, _say)


@cli.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def status_(site: Site, as_json: bool) -> None:
    """
    What runs, and whether it answers. Exit status 0 only if all is well.
    """
    report = status.observed(site)
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        click.echo(status.rendered(report))
    sys.exit(0 if report.up else 1)


def _say(line: str) -> None:
    click.echo(line)


def main() -> None:
    """
    Run the command line; expected failures become one sentence.
    """
    try:
        cli()
    except RuntimeError as error:
        click.echo(f"fournines cloud: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
