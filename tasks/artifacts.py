"""
What people see of a deployment in the Prefect UI: the plan as a table, progress, and the end in a sentence.

Progress is published by a thread of its own: the UI may be slow, steps must not wait for it.
"""

from __future__ import annotations

import re
import threading
from contextvars import copy_context
from typing import Any, Self

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from fournines import log
from fournines.planning import table
from fournines.planning.plan import Plan
from healing.prediction import Prediction
from tasks.outcome import Progress
from tasks.result import Result

PUBLISH_SECONDS = 1.0
"""Often enough for eyes, seldom enough for a server on a busy machine."""

_log = log.get("artifacts")


def key(*words: str) -> str:
    """
    An artifact key from words: what Prefect allows, lower case and dashes.
    """
    return re.sub(r"[^a-z0-9-]+", "-", "-".join(words).lower()).strip("-")


def show_plan(plan: Plan, predicted: Prediction | None = None) -> None:
    """
    The plan as a table, with what was predicted for it.
    """
    foreseen = f" It was {predicted.sentence()}." if predicted else ""
    rows = [
        {
            "wave": row.wave,
            "step": row.verb,
            "subject": row.subject,
            "why": row.why,
            "expected": f"{row.expected_seconds:.1f} s",
            "undo": row.undo,
        }
        for row in table.rows(plan)
    ]
    create_table_artifact(
        table=rows,
        key=key("plan", plan.platform, plan.service or "all"),
        description=f"**{plan.purpose} {plan.service or plan.platform}**: "
        f"{table.summary(plan, timed=predicted is None)}{foreseen}",
    )


def show_result(result: Result) -> None:
    """
    The end as Markdown.
    """
    plan = result.plan
    create_markdown_artifact(
        markdown=result_text(result),
        key=key("result", plan.platform, plan.service or "all"),
    )


def result_text(result: Result) -> str:
    """
    What became of a plan, as Markdown.
    """
    plan = result.plan
    lines = [f"# {plan.purpose} {plan.service or plan.platform}", "", result.sentence()]
    lines += _predicted(result)
    if result.refusals:
        lines += ["", "## Refused", ""]
        lines += [f"- **{r.reason}** {r.subject}: {r.detail}" for r in result.refusals]
    if result.outcome is not None and result.outcome.failed:
        lines += ["", "## Failed", ""]
        lines += [f"- `{s}`: {why}" for s, why in result.outcome.failed.items()]
    return "\n".join(lines)


def _predicted(result: Result) -> list[str]:
    """
    Predicted against actual, as a table.
    """
    if result.prediction is None:
        return []
    taken = f"{result.outcome.seconds:.1f}" if result.outcome else "-"
    lines = [
        "",
        "| | predicted | actual |",
        "|---|---|---|",
        f"| seconds | {result.prediction.seconds:.1f} | {taken} |",
    ]
    if result.prediction.unrehearsed:
        lines += ["", f"Not rehearsed: {result.prediction.unrehearsed}."]
    return lines


class ProgressBar:
    """
    A progress artifact fed by `watch`; use as a context manager around the execution.
    """

    def __init__(self, description: str) -> None:
        self._description = description
        self._percent = 0.0
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, progress: Progress) -> None:
        """
        Take note of a step's change.
        """
        self._percent = 100.0 * progress.done / max(1, progress.total)
        self._changed.set()

    def __enter__(self) -> Self:
        context = copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._publish,), name="progress", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()

    def _publish(self) -> None:
        try:
            artifact: Any = create_progress_artifact(
                progress=0.0, description=self._description
            )
            while not self._ended.is_set():
                self._changed.wait()
                self._changed.clear()
                update_progress_artifact(artifact, progress=self._percent)
                self._ended.wait(PUBLISH_SECONDS)
            update_progress_artifact(artifact, progress=self._percent)
        except Exception as error:  # noqa: BLE001  what people see must never stop what is done
            _log.warning("progress_not_shown", error=str(error))
