"""
cases, case: what was healed, what was refused, and why. Readable in 80 columns; wider terminals get wider tables.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fournines.clock import SystemClock
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.model.case import Case, CaseState
from fournines.model.plain import line, plain
from tasks import case_report, restraints
from tasks.case_report import CaseReport

app = typer.Typer(rich_markup_mode=None)

WIDE_COLUMNS = 120
"""From here on a verdict has room beside its case; below it stands under it."""

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_STYLES = {
    CaseState.RECOVERED: "green",
    CaseState.REFUSED: "yellow",
    CaseState.PAGED: "bold red",
}


@app.command()
def cases(
    *,
    service: Annotated[str | None, typer.Option("--service", "-s")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Open cases only.")] = False,
    since: Annotated[
        str | None, typer.Option(help="90s, 30m, 2h, 3d, or a date: 2026-01-31T12:00.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    as_json: JsonOption = False,
) -> None:
    """
    Healing cases, newest first.
    """
    begin = None if since is None else moment(since, SystemClock().now())
    with frame.store() as store:
        found = store.cases.cases(
            service=service, open_only=open_only, since=begin, limit=limit
        )
        held_back = restraints.sentences(store, SystemClock().now())
    if as_json:
        frame.say_json([case.model_dump(mode="json") for case in found])
        return
    if not found:
        frame.say("no cases")
    elif frame.out.width >= WIDE_COLUMNS:
        _wide_list(found)
    else:
        _narrow_list(found)
    if len(found) == limit:
        frame.say(f"the newest {limit}; more with --limit")
    for said in held_back:
        frame.say(line(said))


@app.command()
def case(
    case_id: Annotated[str, typer.Argument(help="As `fournines cases` shows it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """
    One case: who, what, why, evidence, plan, rejected rungs, steps with their times, verdict.
    """
    with frame.store() as store:
        found = store.cases.case(case_id)
        if found is None:
            raise frame.Stop(
                f"there is no case {case_id!r}; see: fournines cases", frame.WRONG
            )
        report = case_report.read(store, found)
    if as_json:
        more = report.model_dump(mode="json", exclude={"case"})
        frame.say_json(found.model_dump(mode="json") | {"report": more})
        return
    show(report)


def moment(text: str, now: datetime) -> datetime:
    """
    A moment in the past, by its age or by its date (UTC unless it says otherwise).
    """
    age = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    try:
        if age is not None:
            return now - timedelta(seconds=int(age[1]) * _UNITS[age[2]])
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise frame.Stop(
            f"--since {line(text)!r} is neither an age (90s, 30m, 2h, 3d) nor a date (2026-01-31)",
            frame.WRONG,
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


def _wide_list(found: tuple[Case, ...]) -> None:
    shown = frame.table(
        "case", "opened", "who", "diagnosis", "state", "took", "verdict"
    )
    for one in found:
        shown.add_row(*_cells(one), _text(_reason(one)))
    _draw(shown)


def _narrow_list(found: tuple[Case, ...]) -> None:
    """
    Two lines a case: what fits, and the verdict under it.
    """
    for one in found:
        _draw(Text("  ").join(_cells(one)))
        if reason := _reason(one):
            _draw(Padding(_text(reason), (0, 0, 0, 4)))


def _cells(one: Case) -> list[Text]:
    took = (one.closed_at or one.opened_at) - case_report.begin_of(one)
    return [
        Text(one.id),
        Text(f"{one.opened_at:%m-%d %H:%M}"),
        _text(one.subject.instance or one.subject.key),
        Text(one.diagnosis or "-"),
        Text(one.state.value, style=_STYLES.get(one.state, "")),
        Text(f"{took.total_seconds():.1f} s" if one.closed_at else "open"),
    ]


def show(report: CaseReport) -> None:
    """
    A case as people read it in a terminal.
    """
    one = report.case
    _draw(Text(f"{one.id}  ").append(one.state.value, style=_STYLES.get(one.state, "")))
    if reason := _reason(one):
        _draw(Padding(_text(reason), (0, 0, 1, 2)))
    _draw(_pairs("", report.facts))
    for title, rows in (
        ("why not the other rungs", case_report.said_once(report.rejected)),
        ("evidence", report.evidence),
    ):
        if rows:
            _draw(_pairs(title, rows))
    if one.refusals:
        own = {"", one.subject.key, one.subject.instance}
        refused = {
            r.reason.value if r.subject in own else f"{r.reason} {r.subject}": r.detail
            for r in one.refusals
        }
        _draw(_pairs("refusals", refused))
    if report.steps:
        _draw(_steps(report))
    _draw(_events(one))
    console = one.evidence.get("console")
    if console:
        frame.say("\nthe console's last lines")
        _draw(Padding(Text(plain(str(console))), (0, 0, 0, 2)))


def _pairs(title: str, rows: dict[str, str]) -> Table:
    shown = Table(
        title=f"\n{title}" if title else None,
        title_justify="left",
        show_header=False,
        box=None,
    )
    shown.add_column(overflow="fold", max_width=28)
    shown.add_column(overflow="fold")
    for name, text in rows.items():
        shown.add_row(_text(name), _text(text))
    return shown


def _steps(report: CaseReport) -> Table:
    shown = frame.table("step", "state", "began", "expected", "took", title="\nsteps")
    for row in report.steps:
        shown.add_row(
            _text(row.step),
            Text(row.state),
            _number(row.began_after_seconds),
            _number(row.expected_seconds),
            _number(row.took_seconds),
        )
        if row.error:
            shown.add_row(Text(f"  {line(row.error)}", style="red"))
    shown.add_row(
        Text("what is done, one after the other"),
        "",
        "",
        _number(report.predicted_seconds),
        _number(report.actual_seconds),
    )
    return shown


def _events(one: Case) -> Table:
    begin = case_report.begin_of(one)
    shown = frame.table("after", "event", "what", title="\nwhat happened")
    for event in one.events:
        after = (event.at - begin).total_seconds()
        shown.add_row(f"{after:.2f} s", _text(event.event), _text(event.text))
    return shown


def _number(seconds: float | None) -> Text:
    return Text("" if seconds is None else f"{seconds:.2f} s", justify="right")


def _text(text: str) -> Text:
    """
    Text that is nothing but text: no markup, no escape.
    """
    return Text(plain(text))


def _draw(what: Table | Text | Padding) -> None:
    frame.out.print(what, soft_wrap=False)


_TELLING = frozenset(
    {
        "case_opened",
        "diagnosed",
        "planned",
        "cloud_away",
        "verifying",
        "did_not_help",
        "plan_failed",
    }
)
"""Events that say where an open case stands."""


def _reason(found: Case) -> str:
    """
    How a case ended; of an open one what holds it, or where it stands.
    """
    if found.verdict:
        return found.verdict
    told = [e for e in found.events if e.event in {*_TELLING, "refused"}]
    if told and told[-1].event != "refused":
        return told[-1].text
    return "; ".join(refusal.detail for refusal in found.refusals)
