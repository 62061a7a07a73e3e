"""
Jobs of batch services from the UI: submitted and followed by one button, and the schedule that looks after their workers.
"""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.runtime import flow_run

from blueprints.batch.exits import explained
from flows import stage
from tasks import artifacts
from tasks.audience import Audience
from tasks.batch import desk, progress, running, tending, yielding
from tasks.batch.progress import JobStatus
from tasks.outcome import Progress
from tasks.step_runs import perform_as_task_run

EXAMPLE = "examples/batch-job.yaml"


class JobsFailed(Exception):
    """
    A job did not end well; the message says which and how.
    """


def _name() -> str:
    return f"batch {flow_run.parameters.get('job_file', EXAMPLE)}"


@flow(name="run-batch-job", flow_run_name=_name, persist_result=False)
def run_batch_job(
    job_file: str = EXAMPLE,
    service: str = "",
    platform: str = "",
    again: str = "",
) -> list[JobStatus]:
    """
    Submit jobs and follow them to their end. A run that is tried again follows what is there; nothing runs twice.

    Args:
        job_file: A file of jobs, relative to the checkout.
        service: The batch service; empty: the only one.
        platform: Its platform; empty: the only one.
        again: Any word: the same jobs are run once more, which are otherwise only followed.
    """
    path = stage.path(job_file)
    source, jobs = running.read(path)
    with stage.workshop() as workshop:
        found = desk.find(workshop, service or None, platform or None)
        ids = running.submit(found, source, jobs, path.parent, again=again)
        audience = Audience(show=artifacts.show_plan, performer=perform_as_task_run)
        with artifacts.ProgressBar(f"jobs of {path.name}") as bar:
            seen: dict[str, JobStatus] = {}

            def tell(status: JobStatus) -> None:
                seen[status.id] = status
                bar.watch(_progress(seen, [job.count for job in jobs.values()]))

            ended = running.follow(
                found, ids, tell, yields=yielding.lacking_room, audience=audience
            )
    _show(ended)
    if not all(one.state is progress.State.DONE for one in ended):
        raise JobsFailed("; ".join(_sentence(one) for one in ended))
    return list(ended)


@flow(name="tend-batch", persist_result=False)
def tend_batch() -> list[str]:
    """
    Look after the batch services: as many workers as their queues need, and no job that was forgotten.
    """
    with stage.workshop() as workshop:
        audience = Audience(show=artifacts.show_plan, performer=perform_as_task_run)
        found = tending.tend_all(
            workshop, yields=yielding.lacking_room, audience=audience
        )
        return [one.sentence() for one in found]


def _progress(seen: dict[str, JobStatus], counts: list[int]) -> Progress:
    done = sum(status.ended for status in seen.values())
    total = max(sum(counts), 1)
    return Progress(step="jobs", kind="batch", state="begun", done=done, total=total)


def _show(ended: tuple[JobStatus, ...]) -> None:
    rows = [
        {
            "job": one.id,
            "state": one.state,
            "tasks": one.count,
            "task": str(task),
            "how": explained(cause, code),
        }
        for one in ended
        for task, (cause, code) in (one.bad or {0: ("done", 0)}).items()
    ]
    create_table_artifact(table=rows, key=artifacts.key("jobs"), description="Jobs")


def _sentence(status: JobStatus) -> str:
    causes = ", ".join(f"{n} {cause}" for cause, n in status.causes.items())
    return f"{status.id} {status.state}: {causes}"
