"""
approve, reject: a person's word on a plan that cannot be undone. The same as resume and cancel in the Prefect UI; works without it.
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from fournines.clock import SystemClock
from fournines.commands import frame
from fournines.model.approval import ApprovalState

app = typer.Typer(rich_markup_mode=None)

CaseArgument = Annotated[
    str | None,
    typer.Argument(metavar="CASE", help="As `fournines cases` shows it."),
]
WhyOption = Annotated[str, typer.Option("--why", help="For those who ask later.")]


@app.command()
def approve(case_id: CaseArgument = None, *, why: WhyOption = "") -> None:
    """
    Let a case's plan be performed; without a case, list what waits for an answer.
    """
    _answer(case_id, ApprovalState.APPROVED, why)


@app.command()
def reject(case_id: CaseArgument = None, *, why: WhyOption = "") -> None:
    """
    Forbid a case's plan; without a case, list what waits for an answer.
    """
    _answer(case_id, ApprovalState.REJECTED, why)


def _answer(case_id: str | None, state: ApprovalState, why: str) -> None:
    with frame.store() as store:
        if case_id is None:
            waiting = store.approvals.waiting()
            for request in waiting:
                frame.say(request.sentence())
                for step in request.steps:
                    frame.say(f"  {step}")
            if not waiting:
                frame.say("nothing waits for approval")
            return
        now = SystemClock().now()
        answered = store.approvals.decide(
            case_id, state, by=getpass.getuser(), why=why, at=now
        )
        known = store.approvals.of(case_id)
    if answered is not None:
        frame.say(f"{case_id}: {answered.sentence()}")
    elif known is not None:
        raise frame.Stop(f"{case_id} was decided: {known.sentence()}", frame.REFUSED)
    else:
        raise frame.Stop(
            f"{case_id!r} asks for no approval; see: fournines approve", frame.WRONG
        )
