"""
doctor: whether a cloud will serve, one sentence and one remedy per question.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from fournines.cloud import doctor as doctors
from fournines.cloud.doctor import Finding, Verdict
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.settings import settings

app = typer.Typer(rich_markup_mode=None)

_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@app.command()
def doctor(
    *,
    cloud: Annotated[
        str | None, typer.Option("--cloud", help="An entry of clouds.yaml.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """
    Check a cloud before use; changes nothing in it. Exit status 1 when it will not serve.
    """
    findings = doctors.examine(settings(), cloud)
    if as_json:
        frame.say_json([finding.model_dump(mode="json") for finding in findings])
    else:
        _show(findings)
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise typer.Exit(frame.FAILED)


def _show(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        frame.out.print(
            f"[{colour}]{finding.verdict:<5}[/] "
            f"{escape(finding.name):<18} {escape(finding.sentence)}"
        )
        if finding.remedy:
            frame.say(f"{'':24} {finding.remedy}")
