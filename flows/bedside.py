"""
What the healer hands to a flow in its own process, and how neither waits for the other for ever: a Prefect that hangs must not hold up a healing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

from prefect.client.schemas.objects import State

from flows.examination import Examination
from flows.ward import Ward
from fournines.cloud.errors import CloudError
from fournines.model.case import Case


@dataclass(slots=True)
class Bedside:
    """
    One case, and the flow that is to treat it. `result`, or why there is none yet, stands even when Prefect loses the run's end.

    Attributes:
        moved: The flow's body has begun, or never will.
        settled: The body has ended, however.
    """

    ward: Ward
    case_id: str
    early: Future[Examination]
    result: Case | None = None
    postponed: CloudError | None = None
    moved: Event = field(default_factory=Event)
    settled: Event = field(default_factory=Event)
    _turn: Lock = field(default_factory=Lock)

    def claim(self) -> bool:
        """
        Whether the case is the caller's to treat: of the flow and of whoever waits for it, the first.
        """
        return self._turn.acquire(blocking=False)

    def conduct(self, flow: Callable[[], State[Any]]) -> Future[State[Any]]:
        """
        The flow in a thread of its own, in this one's context.
        """
        run: Future[State[Any]] = Future()

        def work() -> None:
            BEDSIDE.set(self)
            try:
                run.set_result(flow())
            except BaseException as error:  # noqa: BLE001  whoever waits for the run is told
                run.set_exception(error)
            finally:
                self.settled.set()
                self.moved.set()

        context = copy_context()
        Thread(target=context.run, args=(work,), name="heal-run", daemon=True).start()
        return run


BEDSIDE: ContextVar[Bedside | None] = ContextVar("bedside", default=None)
