"""
The commands `break` and `mend`: one sentence each, or JSON.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from fournines_sandbox.compute.machine import Machine, all_machines
from fournines_sandbox.compute.record import Record
from fournines_sandbox.faults import kinds
from fournines_sandbox.faults.kinds import KINDS, FaultError
from fournines_sandbox.site import Site

_KINDS_HELP = "\n".join(
    f"\b\n{kind.name:<12} the instance {kind.meaning}" for kind in KINDS.values()
)

_HELP = f"Break INSTANCE (a server's name or id, or their beginning).\n\n{_KINDS_HELP}"


def instance(site: Site, wanted: str) -> tuple[Machine, Record]:
    """
    The instance with this id or name, or the only one whose id or name begins so.

    Raises:
        FaultError: There is none, or more than one.
    """
    known = [(machine, found) for machine in all_machines(site) if (found := machine.record)]
    exact = [item for item in known if wanted in (item[1].uuid, item[1].name)]
    begun = [
        item for item in known if item[1].uuid.startswith(wanted) or item[1].name.startswith(wanted)
    ]
    found = exact or begun
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(record.name for _, record in (found or known))) or "none"
    if found:
        raise FaultError(f"{wanted} could be any of several instances: {names}")
    raise FaultError(f"no instance is called {wanted}; there are: {names}")


@click.command(name="break", help=_HELP)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("name", metavar="INSTANCE")
@click.option(
    "--seconds",
    type=click.FloatRange(0, 600),
    default=1.0,
    show_default=True,
    help="Delay of grey-slow.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def break_(site: Site, kind: str, name: str, seconds: float, as_json: bool) -> None:
    """Break an instance."""
    machine, record = instance(site, name)
    sentence = kinds.strike(machine, kind, seconds)
    _say(as_json, sentence, kind=kind, instance=record.uuid, name=record.name)


@click.command()
@click.argument("name", metavar="INSTANCE")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def mend(site: Site, name: str, as_json: bool) -> None:
    """
    Undo what was broken of INSTANCE.
    """
    machine, record = instance(site, name)
    kind, sentence = kinds.mend(machine)
    _say(as_json, sentence, kind=kind, instance=record.uuid, name=record.name)


def _say(as_json: bool, sentence: str, **facts: Any) -> None:
    said = {**facts, "at": datetime.now(UTC).isoformat(), "sentence": sentence}
    click.echo(json.dumps(said) if as_json else sentence)
