"""
The moments of a case: what the first move and each step of a plan tell, as events, and when what was first so.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import Future

from flows.case_book import CaseBook
from flows.ward import Move
from fournines.clock import Clock
from fournines.store.protocol import StoreError
from tasks.outcome import Progress


def first_move(book: CaseBook, future: Future[Move]) -> None:
    """
    The first move on the alert's word has ended.
    """
    with contextlib.suppress(StoreError):
        # A note beside the way: whoever has the case by now goes on without it.
        _note_move(book, future.result())


def _note_move(book: CaseBook, move: Move) -> None:
    if book.case.state.ended:
        return
    book.first("first_action_at", move.called_at)
    if not move.error:
        book.first("out_of_pool_at", move.done_at)
    took = (move.done_at - move.called_at).total_seconds()
    what = move.error or f"weight 0 on {move.instance} in {took:.3f} s"
    book.note("first_move", what)


def step(book: CaseBook, clock: Clock, progress: Progress) -> None:
    """
    Every step's change becomes an event, and the case's moments.
    """
    now = clock.now()
    if progress.state == "begun":
        if progress.kind != "await-serving":
            book.first("first_action_at", now)
        return
    took = f" in {progress.seconds:.2f} s" if progress.state == "done" else ""
    book.record(
        f"step_{progress.state}",
        f"{progress.step}{took}{': ' + progress.error if progress.error else ''}",
    )
    if progress.state != "done":
        return
    if (
        progress.kind == "set-weight" and progress.step.endswith("/0")
    ) or progress.kind == "leave-pool":
        book.first("out_of_pool_at", now)
    elif progress.kind == "await-serving":
        book.first("redundancy_at", now)
