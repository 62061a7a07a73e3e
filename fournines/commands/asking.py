"""
catalog, validate, plan: what could be, what was asked for, what would be done. Nothing is touched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from blueprints.catalogue import Blueprint, all_blueprints
from blueprints.problem import did_you_mean
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.model.desired import Platform
from fournines.model.refusal import Refusal
from fournines.planning import table
from fournines.planning.plan import Plan
from healing.prediction import Prediction
from tasks import deployment, request

app = typer.Typer(rich_markup_mode=None)

FileArgument = Annotated[Path, typer.Argument(help="The platform file.")]
ServiceOption = Annotated[
    str | None, typer.Option("--service", "-s", help="Only this service.")
]

DEFAULT_FILE = Path("platform.yaml")


@app.command()
def catalog(
    name: Annotated[str | None, typer.Argument(help="A blueprint.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """
    List the blueprints, or show one with its parameters.
    """
    known = all_blueprints()
    if name is None:
        _list(known, as_json=as_json)
        return
    if name not in known:
        raise frame.Stop(
            f"there is no blueprint {name!r}{did_you_mean(name, known)}", frame.WRONG
        )
    _show(known[name], as_json=as_json)


@app.command()
def validate(file: FileArgument = DEFAULT_FILE, *, as_json: JsonOption = False) -> None:
    """
    Check a platform file without asking the cloud.
    """
    desired = request.read_platform(file)
    if as_json:
        frame.say_json(desired.model_dump(mode="json"))
    else:
        frame.say(f"{file} is valid: {_described(desired)}")


@app.command()
def plan(
    file: FileArgument = DEFAULT_FILE,
    *,
    service: ServiceOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Say what a deploy would do, rehearsed on a copy of what is there; touches nothing. Exit status 3 when it would be refused.
    """
    desired = request.read_platform(file)
    with frame.workshop() as workshop:
        found = deployment.preview(workshop, desired, only=service)
    told = found.plan.model_copy(update={"refusals": found.refusals})
    foreseen = found.prediction
    if as_json:
        frame.say_json(
            told.model_dump(mode="json")
            | {"prediction": foreseen and foreseen.model_dump(mode="json")}
        )
    else:
        show_plan(told, found.refusals, foreseen)
    if found.refusals:
        raise typer.Exit(frame.REFUSED)


def show_plan(
    made: Plan, refusals: tuple[Refusal, ...], predicted: Prediction | None = None
) -> None:
    """
    A plan as a table, what was predicted for it, and what was refused.
    """
    if not made.empty:
        shown = frame.table(*table.HEADER)
        for row in table.rows(made):
            shown.add_row(*(escape(cell) for cell in row.cells()))
        frame.out.print(shown)
    shown_plan = (
        made.model_copy(update={"refusals": refusals})
        if refusals or not made.empty
        else made
    )
    frame.say(table.summary(shown_plan, timed=predicted is None))
    if predicted is not None:
        said = predicted.sentence()
        frame.say(f"{said[0].upper()}{said[1:]}.")
    for refusal in refusals:
        frame.say(f"  refused ({refusal.reason}): {refusal.detail}")


def _described(desired: Platform) -> str:
    services = ", ".join(
        f"{s.name} ({s.blueprint} x {sum(g.count for g in s.groups)})"
        for s in desired.services
    )
    return f"platform {desired.name} with {services or 'no services'}"


def _list(known: dict[str, Blueprint], *, as_json: bool) -> None:
    if as_json:
        frame.say_json(
            [
                {"name": b.name, "version": b.version, "summary": b.summary}
                for b in known.values()
            ]
        )
        return
    shown = frame.table("blueprint", "version", "what it is")
    for blueprint in known.values():
        shown.add_row(blueprint.name, blueprint.version, escape(blueprint.summary))
    frame.out.print(shown)


def _show(blueprint: Blueprint, *, as_json: bool) -> None:
    if as_json:
        frame.say_json(
            {
                "name": blueprint.name,
                "version": blueprint.version,
                "summary": blueprint.summary,
                "parameters": blueprint.parameters,
            }
        )
        return
    frame.say(f"{blueprint.name} {blueprint.version}: {blueprint.summary}")
    shown = frame.table("parameter", "type", "default", "meaning")
    for name, schema in blueprint.parameters.get("properties", {}).items():
        shown.add_row(
            name,
            escape(str(schema.get("type", schema.get("enum", "")))),
            escape(str(schema.get("default", "(required)"))),
            escape(str(schema.get("description", ""))),
        )
    frame.out.print(shown)
