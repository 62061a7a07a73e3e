"""
What every deploying flow stands on: logging, the workshop, artifacts, and an honest end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from flows import run_log
from fournines import log
from fournines.model.desired import Platform
from fournines.planning.plan import Plan
from fournines.settings import ROOT, settings
from healing.prediction import Prediction
from tasks import artifacts, furnishing, opening
from tasks.audience import NOBODY, Audience
from tasks.outcome import Progress
from tasks.result import NotConfirmed, NotDone, Result
from tasks.step_runs import perform_as_task_run, work_as_task_run
from tasks.workshop import Workshop

EXAMPLE = "examples/shop.yaml"
"""Default of forms: the platform this checkout brings along."""

_log = log.get("stage")

spectator: ContextVar[Audience] = ContextVar("spectator", default=NOBODY)
"""Who else watches flows called in this process: a terminal. Its performer is not used."""


@contextmanager
def workshop() -> Iterator[Workshop]:
    """
    The workshop of the process' settings with logs in the UI.
    """
    run_log.attach()
    with opening.workshop(settings()) as opened:
        yield opened


def watched(act: Callable[[Audience], Result], *, title: str) -> Result:
    """
    Act before Prefect's audience: plan and result as artifacts, a task run per step, a progress bar.

    Raises:
        NotDone: Something was refused or failed.
    """
    terminal = spectator.get()
    with artifacts.ProgressBar(title) as bar:

        def both(progress: Progress) -> None:
            bar.watch(progress)
            terminal.watch(progress)

        def show(plan: Plan, predicted: Prediction | None) -> None:
            artifacts.show_plan(plan, predicted)
            terminal.show(plan, predicted)

        result = act(Audience(show=show, performer=perform_as_task_run, watch=both))
    artifacts.show_result(result)
    if not result.ok:
        raise NotDone(result)
    return result


def tell(line: str) -> None:
    """
    What goes on before there is a plan: into the run's log, and to the terminal when one watches.
    """
    _log.info("going_on", now=line.strip())
    spectator.get().tell(line)


def images_first(
    workshop: Workshop,
    desired: Platform,
    only: str | None = None,
    *,
    insist: bool = False,
) -> None:
    """
    Bake what the platform names and nobody has baked yet.

    Raises:
        NotDone: The deploy would be refused whatever is baked.
    """
    try:
        furnishing.images_first(
            workshop,
            desired,
            only=only,
            insist=insist,
            perform=work_as_task_run,
            tell=tell,
        )
    except NotDone as error:
        artifacts.show_result(error.result)
        raise


def confirmed(*, really: bool, what: str) -> None:
    """
    Destroying needs a second word.

    Raises:
        NotConfirmed: It was not said.
    """
    if not really:
        raise NotConfirmed(
            f"nothing was touched: set `really` to destroy {what} and its data"
        )


def path(text: str) -> Path:
    """
    A path as people type it into a form: relative to the checkout.
    """
    given = Path(text).expanduser()
    return given if given.is_absolute() else ROOT / given
