"""
Treating cases, a few at once; the others wait in the store. What cannot be said now is tried again; after a crash open cases are adopted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

from flows import consenting
from flows.case_book import CaseBook, case_right
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model.case import Case, CaseState
from fournines.store.protocol import LeaseHeld, StoreError
from tasks import holders, leasing
from tasks.workshop import Workshop

PAUSE_SECONDS = 2.0
"""Before a case that could not be treated is tried again; grows with every try."""

PAUSE_SECONDS_MAX = 15.0
"""The longest pause: an outage of the cloud's API must not cost more after it is over."""

COLLEAGUES = 4
"""Healers that may die one after the other and leave a full house of cases each: there are spare beds for these. Most only wait in them."""

BREAKS_MAX = 3
"""Treatments that broke by a mistake of our own before a person is called."""

_log = log.get("healer")

Treat = Callable[[str], Case]


class Beds:
    """
    A few treatments at once. Thread-safe.
    """

    def __init__(self, workshop: Workshop, treat: Treat) -> None:
        self._workshop = workshop
        self._treat = treat
        self._lock = workshop.crew.lock()
        self._inside: set[str] = set()
        self._tries: Counter[str] = Counter()
        self._elsewhere: set[str] = set()
        self._breaks: Counter[str] = Counter()
        self._closing = workshop.crew.event()
        self._threads = workshop.crew.hands(
            workshop.settings.heals_at_once_max, "healing"
        )
        self._spare = workshop.crew.hands(
            COLLEAGUES * workshop.settings.heals_at_once_max, "adopted"
        )

    @property
    def occupied(self) -> int:
        """
        Cases being treated or waiting for a bed.
        """
        return len(self._inside)

    def admit(self, case_id: str) -> None:
        """
        Treat a case as soon as there is a bed. One that is inside already is left alone.
        """
        self._put_to(self._threads, case_id)

    def _put_to(self, beds: Executor, case_id: str) -> None:
        with self._lock:
            if case_id in self._inside or self._closing.is_set():
                return
            self._inside.add(case_id)
            beds.submit(self._run, case_id)

    def adopt(self) -> int:
        """
        Admit every open case that nobody treats: those of a healer that died or was stopped, and those that came while no bed was free. What
        a colleague had begun waits for no bed: members may be half changed.
        """
        store = self._workshop.store
        outside = [
            case
            for case in reversed(store.cases.cases(open_only=True, limit=1_000))
            if not case.subject.is_everywhere and case.id not in self._inside
        ]
        if not outside:
            self._elsewhere = set()
            return 0
        # Read after the cases: whoever took one meanwhile has it.
        held = {lease.name: lease.holder for lease in store.leases.in_force()}
        free = {c.id for c in outside if _is_free(held.get(leasing.of_case(c.id)))}
        left = {case.id for case in outside if case.id in free} & self._elsewhere
        with self._lock:
            self._elsewhere = {case.id for case in outside if case.id not in free}
            for case_id in self._elsewhere:
                # Another healer has it now: should that one die, our pause before the next try is over.
                self._tries.pop(case_id, None)
        found = [
            case
            for case in outside
            if case.id in free
            and case.id not in self._tries
            and not consenting.waiting(self._workshop, case)
        ]
        for case in found:
            begun = (
                case.state not in {CaseState.OPEN, CaseState.AWAITING}
                or case.id in left
            )
            self._put_to(self._spare if begun else self._threads, case.id)
        return len(found)

    def hurry(self) -> None:
        """
        Try at once what waits to be tried again: what kept it from being treated is over.
        """
        for case_id in list(self._tries):
            self.admit(case_id)

    def close(self) -> None:
        """
        Begin nothing more; what is under way is left to its journal.
        """
        self._closing.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._spare.shutdown(wait=False, cancel_futures=True)

    def _run(self, case_id: str) -> None:
        again = False
        try:
            with leasing.holding(
                self._workshop,
                [leasing.of_case(case_id)],
                purpose="case",
                ttl_seconds=self._workshop.settings.healing_lease_ttl_seconds,
            ) as held:
                token = case_right.set(held)
                try:
                    self._treat(case_id)
                finally:
                    case_right.reset(token)
        except LeaseHeld as error:
            # Another healer on the same store has it in hand; if that one dies, it is adopted.
            _log.info("case_in_other_hands", case=case_id, error=str(error))
        except (CloudError, StoreError) as error:
            _log.warning("treatment_postponed", case=case_id, error=str(error))
            again = True
        except Exception as error:  # noqa: BLE001  a mistake of ours in one case must not end the healer
            _log.exception("treatment_broke", case=case_id)
            again = not self._give_up(case_id, error)
        finally:
            with self._lock:
                self._inside.discard(case_id)
        if again and not self._closing.is_set():
            self._tries[case_id] += 1
            pause = min(PAUSE_SECONDS * self._tries[case_id], PAUSE_SECONDS_MAX)
            self._workshop.crew.beside(
                "again", partial(self.admit, case_id), after_seconds=pause
            )
        else:
            self._tries.pop(case_id, None)

    def _give_up(self, case_id: str, error: Exception) -> bool:
        """
        After some breaks a person is called.
        """
        self._breaks[case_id] += 1
        if self._breaks[case_id] < BREAKS_MAX:
            return False
        case = self._workshop.store.cases.case(case_id)
        if case is not None and not case.state.ended:
            book = CaseBook(self._workshop, case)
            book.close(
                CaseState.PAGED,
                f"a person is needed: the treatment broke ({type(error).__name__}: {error})",
            )
        return True


def _is_free(holder: str | None) -> bool:
    return holder is None or holders.is_dead(holder)
