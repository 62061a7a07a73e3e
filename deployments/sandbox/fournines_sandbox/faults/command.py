"""
The commands `break` and `mend`: one sentence each, or JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from fournines_sandbox.faults import kinds, mending, timers
from fournines_sandbox.faults.kinds import KINDS
from fournines_sandbox.faults.options import as_json_option, for_option, say
from fournines_sandbox.faults.wide import WIDE
from fournines_sandbox.site import Site


@click.group(name="break")
def break_() -> None:
    """
    Break something as hardware and software would: OpenStack is not told.
    """


def _of_instances(kind: str, meaning: str) -> click.Command:
    def strike(site: Site, name: str, as_json: bool, for_: float | None, **more: float) -> None:
        machine, record = mending.instance(site, name)
        sentence = kinds.strike(machine, kind, more.get("seconds", 0.0))
        if for_:
            timers.arm(site, record.uuid, for_)
        say(as_json, sentence, kind=kind, instance=record.uuid, name=record.name)

    made: Callable[..., Any] = click.pass_obj(strike)
    if kind == "grey-slow":
        made = click.option(
            "--seconds",
            type=click.FloatRange(0, 600),
            default=1.0,
            show_default=True,
            help="How late.",
        )(made)
    made = click.argument("name", metavar="INSTANCE")(as_json_option(for_option(made)))
    text = f"INSTANCE {meaning}.\n\nINSTANCE is a server's name or id, or the beginning of one."
    return click.command(name=kind, help=text, short_help=f"INSTANCE {meaning}")(made)


for _kind in KINDS.values():
    break_.add_command(_of_instances(_kind.name, _kind.meaning))
for _command in WIDE:
    break_.add_command(_command)


@click.command()
@click.argument("target")
@as_json_option
@click.pass_obj
def mend(site: Site, target: str, as_json: bool) -> None:
    """
    Undo what was broken of TARGET.

    TARGET is what was broken: an instance, a host, a zone, a load balancer, an image, keystone, mariadb, api, slow-boot; or all.
    """
    mended = mending.mend(site, target)
    sentence = "; ".join(item.sentence for item in mended) or "nothing was broken"
    facts = dict(mended[0].facts) if len(mended) == 1 else {}
    say(as_json, sentence, **{"kind": "", **facts})
