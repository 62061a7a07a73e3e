"""
What performing a plan says on its way, and what became of it.
"""

from __future__ import annotations

from pydantic import Field

from fournines.model.value import Value


class Progress(Value):
    """
    One step changed its state: "begun", "done", "failed", or "skipped" (done before a crash).
    """

    step: str
    kind: str
    state: str
    done: int
    total: int
    seconds: float = 0.0
    error: str = ""


class Outcome(Value):
    """
    What became of a plan.

    Attributes:
        done: Steps done, in the order they ended.
        failed: Step id -> why.
        waiting: Steps never begun, because something they need failed.
        lost: How the right to act was lost on the way; the plan is left open then, for whoever has it now.
    """

    plan_id: str
    done: tuple[str, ...] = ()
    failed: dict[str, str] = Field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    seconds: float = 0.0
    lost: str = ""

    @property
    def ok(self) -> bool:
        """
        Every step is done.
        """
        return not self.failed and not self.waiting

    def sentence(self) -> str:
        """
        The outcome for people, and the next step.
        """
        if self.ok:
            return f"{len(self.done)} steps done in {self.seconds:.1f} s"
        step, why = next(iter(self.failed.items()), ("", "interrupted"))
        more = f" (and {len(self.failed) - 1} more)" if len(self.failed) > 1 else ""
        return (
            f"{step} failed{more}: {why.rstrip('.')}. {len(self.done)} steps are done, "
            f"{len(self.waiting)} wait; run it again to go on"
        )
