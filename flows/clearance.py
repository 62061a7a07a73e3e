"""
Leave to act: every brake asked, the service's lease in hand, and the case marked as acting, all in one moment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flows import examination, places, surroundings
from flows.case_book import CaseBook
from flows.examination import Examination
from flows.ward import Ward
from fournines.model.case import Case, CaseState, Diagnosis, Subject
from fournines.model.refusal import Refusal
from fournines.store.protocol import Lease, LeaseHeld
from healing import brakes
from healing.diagnosis import kinds
from tasks import leasing
from tasks.leasing import Holding

WAIT_SECONDS_MAX = 120.0
"""How long a case waits for a deploy, other healings or its cool-down."""

GATE_SECONDS = 0.1
"""Pause before the gate is tried again."""

GATE_TRIES = 60
"""Longer than a lease lives: whoever died at the gate does not keep it shut."""

INHERIT_SECONDS = 0.2
"""Pause before a dead healer's lease is tried again: part of the time until its cases go on."""

FOLLOW_SECONDS_MAX = 1_800.0
"""How long a case waits for a remedy of its whole service: a large group is made anew in waves."""

WAIT_SECONDS = 1.0
"""Pause before the brakes are asked again."""

LOOK_SECONDS = 5.0
"""Whoever waits looks this often whether the member recovered by itself; and once more before it acts."""


def obtain(
    ward: Ward,
    book: CaseBook,
    seen: Examination,
    stack: ExitStack,
    *,
    spoiled: frozenset[str],
) -> tuple[Examination, Holding] | None:
    """
    Wait for what time cures; None when something else objects, or it took too long. The lease is held until `stack` closes.

    Raises:
        SubjectUnknown: Its service was destroyed while the lease was waited for.
    """
    clock = ward.workshop.clock
    begin = clock.now()
    looked = True
    followed: set[str] = set()
    while True:
        leader = _ahead(ward, book, followed)
        if leader is not None:
            followed.add(leader.id)
            _follow(ward, book, leader)
            begin, looked = clock.now(), True
            seen = examination.examine(ward, book.case)
        with ward.gate, _gate(ward, seen.situation.subject.platform) as gate:
            if _ahead(ward, book, followed) is not None:
                continue
            held, holder = _take_lease(ward, seen.situation.subject, stack)
            situation = dataclasses.replace(
                seen.situation,
                now=clock.now(),
                lease_holder=holder,
                acting=surroundings.acting(ward, book.case),
                unsettled=surroundings.unsettled(ward, book.case),
                spoiled=spoiled,
            )
            refusals = brakes.objections(situation)
            refusals = relevant(seen.finding.diagnosis, refusals)
            if held is not None and not refusals:
                # Whoever had the lease before may have asked for something else: that is looked at anew.
                looked = looked and places.is_as_seen(
                    ward.workshop.store.registry,
                    situation.subject,
                    situation.service,
                )
            if held is not None and not refusals and looked:
                with book.under(gate):
                    # What was found while it waited is what it acts on, and what others count.
                    book.change(
                        "may_act",
                        "no brake objects",
                        state=CaseState.ACTING,
                        diagnosis=seen.finding.diagnosis,
                    )
                return dataclasses.replace(seen, situation=situation), held
            stack.close()
        if refusals:
            book.refuse(refusals)
            waited = (clock.now() - begin).total_seconds()
            curable = all(refusal.reason in brakes.WAITING for refusal in refusals)
            if not curable or waited > WAIT_SECONDS_MAX:
                return None
            clock.sleep(WAIT_SECONDS)
        age = (clock.now() - seen.evidence.at).total_seconds()
        looked = not refusals or age >= LOOK_SECONDS
        if looked:
            seen = examination.examine(ward, book.case)


def _ahead(ward: Ward, book: CaseBook, followed: set[str]) -> Case | None:
    """
    A case whose remedy changes this case's whole service now, and which was not waited for yet.
    """
    leader = surroundings.remedied_by(ward, book.case)
    return leader if leader is not None and leader.id not in followed else None


def _follow(ward: Ward, book: CaseBook, leader: Case) -> None:
    """
    Wait for its end: a release that is rolled back makes every member anew, a load balancer is failed over once, and nobody is called for each
    member meanwhile.
    """
    why = leader.cause or (leader.diagnosis.value if leader.diagnosis else "")
    book.change(
        "follows",
        f"{leader.id} treats the whole service ({why}): it ends first",
        leader=leader.id,
        cause=why,
    )
    clock = ward.workshop.clock
    begin = clock.monotonic()
    while clock.monotonic() - begin < FOLLOW_SECONDS_MAX:
        clock.sleep(WAIT_SECONDS)
        now = surroundings.remedied_by(ward, book.case)
        if now is None or now.id != leader.id:
            break


@contextmanager
def _gate(ward: Ward, platform: str) -> Iterator[Lease]:
    """
    As the ward's own gate, among all healers of this store: each holds it for milliseconds.

    Raises:
        LeaseHeld: It was never free.
    """
    workshop = ward.workshop
    name = leasing.of_gate(platform)
    for _ in range(GATE_TRIES - 1):
        with ExitStack() as stack:
            try:
                lease = stack.enter_context(
                    leasing.briefly(workshop, name, purpose="asking the brakes")
                )
            except LeaseHeld:
                workshop.clock.sleep(GATE_SECONDS)
                continue
            yield lease
            return
    with leasing.briefly(workshop, name, purpose="asking the brakes") as lease:
        yield lease


def relevant(
    diagnosis: Diagnosis, refusals: tuple[Refusal, ...]
) -> tuple[Refusal, ...]:
    """
    Giving a weight back asks few brakes; who is sick is healed however often he cried out before.
    """
    return tuple(r for r in refusals if kinds.has_a_say(r.reason, diagnosis))


def check(held: Holding, book: CaseBook) -> None:
    """
    Both the service and the case must still be ours: whoever waited for the one may have lost the other. Raises LeaseHeld.
    """
    held.check()
    book.check()


def lease_again(ward: Ward, subject: Subject, stack: ExitStack) -> Holding | None:
    """
    The service's lease for a plan that was under way when its healer died, whose own lease lives on for a moment. None: it was never free.
    """
    clock = ward.workshop.clock
    begin = clock.monotonic()
    while clock.monotonic() - begin < WAIT_SECONDS_MAX:
        held, _ = _take_lease(ward, subject, stack)
        if held is not None:
            return held
        clock.sleep(INHERIT_SECONDS)
    return None


def _take_lease(
    ward: Ward, subject: Subject, stack: ExitStack
) -> tuple[Holding | None, str | None]:
    try:
        held = stack.enter_context(
            ward.leases.holding(subject.platform, subject.service)
        )
    except LeaseHeld as error:
        return None, str(error)
    return held, None
