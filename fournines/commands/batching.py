"""
batch: jobs of batch services, submitted, listed, read and cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from blueprints.batch.exits import explained
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from tasks.batch import desk as desks
from tasks.batch import progress, running, submission, tending, yielding
from tasks.batch.desk import Desk
from tasks.batch.progress import JobStatus

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

LISTED_MAX = 20

ServiceOption = Annotated[
    str | None, typer.Option("--service", help="Needed when several run jobs.")
]
PlatformOption = Annotated[
    str | None, typer.Option("--platform", help="Needed when several are deployed.")
]
JobArgument = Annotated[str, typer.Argument(help="A job's id, as `list` shows it.")]


@app.command()
def submit(
    file: Annotated[Path, typer.Argument(help="A job, or several below `jobs`.")],
    *,
    service: ServiceOption = None,
    platform: PlatformOption = None,
    again: Annotated[
        str, typer.Option(help="Any word: runs the same job once more under a new id.")
    ] = "",
    wait: Annotated[bool, typer.Option(help="Stay until all have ended.")] = True,
    as_json: JsonOption = False,
) -> None:
    """
    Submit jobs and follow them. Submitting the same once more is following it; it does not run twice.
    """
    source, jobs = running.read(file)
    with _desk(service, platform) as desk:
        ids = running.submit(desk, source, jobs, file.absolute().parent, again=again)
        if not wait:
            found = tuple(s for i in ids if (s := progress.of(desk, i)) is not None)
        elif as_json:
            found = running.follow(desk, ids, lambda _status: None)
        else:
            found = _followed(desk, ids)
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
    else:
        for one in found:
            _tell(one)
    if wait and not all(one.state is progress.State.DONE for one in found):
        raise typer.Exit(frame.FAILED)


@app.command("list")
def list_jobs(
    *,
    service: ServiceOption = None,
    platform: PlatformOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Jobs that have not ended, and the newest of those that have.
    """
    with _desk(service, platform) as desk:
        found = progress.every(desk, ended_max=LISTED_MAX)
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        frame.say("no job was submitted yet; begin with: fournines batch submit FILE")
        return
    table = frame.table("job", "queue", "state", "ended", "running", "waiting", "")
    for one in found:
        ended = f"{one.ended}/{one.count}"
        words = _in_words(one)
        row = (one.id, one.queue, one.state, ended, str(one.running))
        table.add_row(*row, str(one.waiting), words)
    frame.out.print(table)


@app.command()
def logs(
    job: JobArgument,
    *,
    task: Annotated[int, typer.Option(min=0, help="Of an array.")] = 0,
    outputs: Annotated[
        Path | None, typer.Option(help="A folder for the files the task left.")
    ] = None,
    service: ServiceOption = None,
    platform: PlatformOption = None,
) -> None:
    """
    The log of a task, and how it ended; of one that runs, as far as it has come some seconds ago.
    """
    with _desk(service, platform) as desk:
        shelf = desk.shelf
        kept = shelf.job(job)
        if kept is None:
            raise frame.Stop(
                f"there is no job {job}; `fournines batch list` shows them", frame.WRONG
            )
        if task >= kept.job.count:
            last = kept.job.count - 1
            raise frame.Stop(
                f"there is no task {task} of {job}: they are 0 to {last}", frame.WRONG
            )
        attempts = list(shelf.logs(job, task))
        result = shelf.result(job, task)
        files = shelf.outputs(job, task) if outputs else {}
    for number, text in attempts:
        if len(attempts) > 1:
            frame.say(f"-- attempt {number + 1}")
        frame.out.print(text, markup=False, end="")
    if result is None:
        frame.say(f"-- task {task} of {job} has not ended")
    else:
        where = f" on {result['node']}" if result.get("node") else ""
        said = explained(str(result["cause"]), int(result["code"]))
        frame.say(f"-- task {task} of {job}{where}: {said}")
    for name, content in files.items():
        assert outputs is not None
        _write(outputs, name, content)


@app.command()
def cancel(
    job: JobArgument,
    *,
    service: ServiceOption = None,
    platform: PlatformOption = None,
) -> None:
    """
    End a job; what its tasks have said so far stays.
    """
    with _desk(service, platform) as desk:
        ended = submission.cancel(desk, job)
    frame.say(f"{job} is cancelled" if ended else f"{job} had ended already")


@app.command()
def tend(*, as_json: JsonOption = False) -> None:
    """
    Look after all batch services once: workers as the queue needs them. The schedule does it by itself.
    """
    with frame.workshop() as workshop:
        found = tending.tend_all(workshop, yields=yielding.lacking_room)
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
        return
    for one in found:
        frame.say(one.sentence())
    if not found:
        frame.say("no batch service is deployed")


@contextmanager
def _desk(service: str | None, platform: str | None) -> Iterator[Desk]:
    with frame.workshop() as workshop:
        yield desks.find(workshop, service, platform)


def _followed(desk: Desk, ids: tuple[str, ...]) -> tuple[JobStatus, ...]:
    """
    With a bar for each job.
    """
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Elapsed(),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=frame.err, transient=True) as bars:
        rows = {one: bars.add_task(one, total=None, said="") for one in ids}

        def tell(status: JobStatus) -> None:
            bars.update(
                rows[status.id],
                total=status.count,
                completed=status.ended,
                said=_in_words(status),
            )

        return running.follow(desk, ids, tell, yields=yielding.lacking_room)


def _tell(status: JobStatus) -> None:
    frame.say(f"{status.id}: {status.state}, {status.ended} of {status.count} ended")
    for task, (cause, code) in status.bad.items():
        frame.say(f"  task {task}: {explained(cause, code)}")


def _in_words(status: JobStatus) -> str:
    parts = [f"{n} {cause}" for cause, n in status.causes.items() if cause != "done"]
    if status.running:
        parts.append(f"{status.running} running")
    if status.again:
        parts.append(f"{status.again} tried again")
    if status.waits_for and not status.running:
        parts.append(f"waits for {status.waits_for}")
    return ", ".join(parts)


def _write(folder: Path, name: str, content: bytes) -> None:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise frame.Stop(f"{name} would be written outside of {folder}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    frame.say(f"-- {target}")
