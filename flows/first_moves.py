"""
The first move on an alert: weight 0 on its member, within milliseconds, before anything is examined.

One API call, decided from the healer's view (healing.first_action). It is harmless, and undone when the examination finds nothing wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from alerts import conventions as c
from alerts import payload
from flows import slot_history
from flows.glance import Glance
from flows.healer_view import View
from flows.ward import Move
from fournines import log
from fournines.cloud import permit
from fournines.cloud.errors import CloudError, DeadlinePassed
from fournines.model.case import Subject
from fournines.model.desired import Group
from fournines.model.refusal import Refusal
from fournines.store.protocol import AlertRecord, LeaseHeld, StoreError
from healing import first_action, restraints
from healing.first_action import WeightZero
from healing.situation import endpoint_floor, is_of_group
from tasks import holders, leasing
from tasks.workshop import Workshop

AGE_SECONDS_MAX = 120.0
"""Older alerts are replays or come from a healer that was down: they are examined, nothing is done on their word."""

AHEAD = timedelta(seconds=60)
"""How far a sender's clock may be ahead of ours; what begins later than that is no alert of now."""

CALL_SECONDS_MAX = 10.0
"""Deadline of the call: later it would be no first move."""

DECISION_SECONDS_MAX = 5.0
"""A request that is sent later, after retries or behind a busy load balancer, would act on what was true then."""

WAITED_SECONDS = 0.2
"""A request that waited so long is sent only if nobody whom the decision counted on has become a suspect."""

REMEMBERED_MAX = 10_000
"""Moves remembered for their cases."""

_log = log.get("healer")


@dataclass(frozen=True, slots=True)
class _Decided:
    """
    When a move was decided, by the monotonic clock, and who was not counted on.
    """

    at: float
    suspects: frozenset[str]


class FirstMoves:
    """
    Decides and makes first moves. Thread-safe.
    """

    def __init__(self, workshop: Workshop, view: View, threads: Executor) -> None:
        self._workshop = workshop
        self._view = view
        self._threads = threads
        self._lock = workshop.crew.lock()
        self._moves: dict[str, Future[Move]] = {}
        self.on_refusal: Callable[[Refusal], None] = lambda _refusal: None

    def of(self, instance: str | None) -> Future[Move] | None:
        """
        The move made for an instance, done or under way; told once, to the case that it belongs to.
        """
        with self._lock:
            return self._moves.pop(instance, None) if instance else None

    def consider_all(self, records: tuple[AlertRecord, ...]) -> None:
        """
        As `consider`, for alerts of one commit: what they ask alike is read once.
        """
        glance: Glance | None = None
        for record in records:
            now = self._workshop.clock.now()
            if glance is None or not glance.is_good(now):
                glance = Glance(self._workshop.store, now)
            self.consider(record, glance)

    def consider(self, record: AlertRecord, glance: Glance | None = None) -> None:
        """
        Make the move that an alert permits, if it permits one. Returns at once. While the store is away none is made: the alert is committed, and
        examined when it is back.
        """
        try:
            self._consider(record, glance)
        except StoreError as trouble:
            _log.warning("first_move_not_decided", error=str(trouble))

    def _consider(self, record: AlertRecord, glance: Glance | None) -> None:
        seen = glance or Glance(self._workshop.store, self._workshop.clock.now())
        subject = payload.subject(record)
        if not self._permits(record) or subject is None or subject.instance is None:
            return
        found = self._view.group(subject)
        pool = self._view.pool(subject.platform, found[1]) if found else None
        if found is None or pool is None:
            return
        balancer, members = pool
        roles = {place.role for place in found[1].memberships}
        with self._lock:
            suspects = seen.suspects(subject.platform, subject.service)
            decision: WeightZero | Refusal = first_action.decide(
                subject.instance,
                members.members,
                min_healthy=found[1].healing.min_healthy,
                own=[m.name for m in members.members if is_of_group(m.name, subject)],
                endpoint_min=endpoint_floor(*found),
                suspects=suspects - {subject.instance},
                healing_on=self._workshop.store.switches.is_on("healing"),
                follows_role=bool(roles - {None}),
                age_seconds=self._view.age_seconds(subject.platform),
            )
            if isinstance(decision, WeightZero):
                if self._is_taken(subject):
                    return
                # Asked last: in a storm nearly all are refused before.
                decision = self._bar(subject, found[1], seen) or decision
            if isinstance(decision, Refusal):
                self.on_refusal(decision)
                _log.info(
                    "first_move_refused",
                    instance=subject.instance,
                    reason=decision.reason.value,
                    detail=decision.detail,
                )
                return
            self._view.remember_weight(subject.instance, 0)
            if len(self._moves) >= REMEMBERED_MAX:
                del self._moves[next(iter(self._moves))]
            self._moves[subject.instance] = self._threads.submit(
                self._make,
                balancer,
                members.name,
                subject,
                _Decided(self._workshop.clock.monotonic(), suspects),
            )

    def _bar(self, subject: Subject, group: Group, seen: Glance) -> Refusal | None:
        """
        What keeps even a weight from being moved.
        """
        store, now = self._workshop.store, self._workshop.clock.now()
        paused = restraints.pause(seen.pauses, subject, now)
        if paused is not None:
            return paused
        flaps = slot_history.flaps(store.cases, subject.key, group.healing, now)
        return restraints.flapping(flaps, group, subject, now)

    def _permits(self, record: AlertRecord) -> bool:
        age = self._workshop.clock.now() - record.starts_at
        return (
            record.status == "firing"
            and record.labels.get(c.SEVERITY) == c.Severity.HEAL
            and record.labels.get(c.TIER) == c.Tier.CAUSE
            and -AHEAD < age < timedelta(seconds=AGE_SECONDS_MAX)
        )

    def _is_taken(self, subject: Subject) -> bool:
        """
        A case is open for the slot, and its treatment moves the members (a replacement that boots is no fault); or a deploy does.
        """
        store = self._workshop.store
        if store.cases.open_for(subject.key) is not None:
            return True
        name = leasing.of_service(subject.platform, subject.service)
        lease = store.leases.current(name)
        return lease is not None and not lease.purpose.startswith(
            ("healing", "reconcile")
        )

    def _in_our_hands(self, subject: Subject, decided: _Decided) -> None:
        """
        Asked before each request: a move that waited must not disturb another healer, which treats the slot by now, nor count on members that
        served when it was decided.

        Raises:
            LeaseHeld: One does.
            DeadlinePassed: It was decided too long ago, or others have become suspects since.
        """
        store = self._workshop.store
        waited = self._workshop.clock.monotonic() - decided.at
        attempted = f"moving the weight of {subject.instance}"
        if waited > DECISION_SECONDS_MAX:
            raise DeadlinePassed(
                attempted, "it was decided too long ago; the examination decides now"
            )
        if waited > WAITED_SECONDS:
            seen = Glance(store, self._workshop.clock.now())
            known = decided.suspects | {subject.instance or ""}
            others = seen.suspects(subject.platform, subject.service) - known
            if others:
                raise DeadlinePassed(
                    attempted,
                    f"{min(others)} is suspect, too, by now; the examination decides",
                )
        case = store.cases.open_for(subject.key)
        lease = store.leases.current(leasing.of_case(case.id)) if case else None
        if lease and not holders.same_process(lease.holder, self._workshop.holder()):
            raise LeaseHeld(f"{lease.holder} treats {subject.key}")

    def _make(
        self, balancer: str, pool: str, subject: Subject, decided: _Decided
    ) -> Move:
        instance = subject.instance or ""
        called_at = self._workshop.clock.now()
        error = ""
        try:
            with permit.granted(partial(self._in_our_hands, subject, decided)):
                self._workshop.cloud.set_weight(
                    balancer, pool, instance, 0, deadline_seconds=CALL_SECONDS_MAX
                )
        except (CloudError, StoreError) as trouble:
            error = str(trouble)
        done_at = self._workshop.clock.now()
        _log.info(
            "first_move",
            instance=instance,
            seconds=(done_at - called_at).total_seconds(),
            error=error,
        )
        return Move(instance, called_at, done_at, error)
