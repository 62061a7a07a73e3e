"""
The healer's own metrics: ids joined to places, objectives as data, and what healing does.

Computed when they are scraped, from the view and the store; only counters live here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts import conventions as c
from flows import healer_targets
from flows.healer_view import View
from fournines.clock import Clock
from fournines.model.case import Case, CaseState
from fournines.model.desired import Platform
from fournines.model.refusal import Reason, Refusal
from fournines.store.protocol import Store, StoreError
from healing.situation import pool_member

_SECONDS = (0.5, 1, 1.5, 2, 3, 5, 8, 10, 15, 20, 30, 60, 120)


class Counts:
    """
    What healing did, since this process began.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._closed = Counter(
            c.CASES_CLOSED.removesuffix("_total"),
            "Cases closed, by diagnosis and by how they ended.",
            [c.PLATFORM, c.SERVICE, c.DIAGNOSIS, "state"],
            registry=registry,
        )
        self._refused = Counter(
            c.REFUSALS.removesuffix("_total"),
            "Refusals, by reason.",
            ["reason"],
            registry=registry,
        )
        self._ended = Counter(
            c.CASES_ENDED.removesuffix("_total"),
            "Cases closed, by how they ended.",
            [*c.SERVICE_LABELS, "state"],
            registry=registry,
        )
        for reason in Reason:
            self._refused.labels(reason.value)
        self._seconds = {
            field: Histogram(
                f"fournines_case_{name}_seconds",
                f"Seconds from the fault to {what}.",
                [c.DIAGNOSIS],
                buckets=_SECONDS,
                registry=registry,
            )
            for field, name, what in (
                ("detected_at", "detection", "its alert in the inbox"),
                ("first_action_at", "first_action", "the first corrective call"),
                ("redundancy_at", "redundancy", "full redundancy"),
            )
        }

    def expect(self, platforms: Iterable[Platform]) -> None:
        """
        These may have cases. A counter that first appears as 1 has never risen: it has to stand at 0 before.
        """
        for platform in platforms:
            for service in platform.services:
                for state in CaseState:
                    if state.ended:
                        self._ended.labels(platform.name, service.name, state.value)

    def closed(self, case: Case) -> None:
        """
        A case has ended.
        """
        told = case.diagnosis.value if case.diagnosis else "unknown"
        subject = case.subject
        self._closed.labels(
            subject.platform, subject.service, told, case.state.value
        ).inc()
        self._ended.labels(subject.platform, subject.service, case.state.value).inc()
        for refusal in case.refusals:
            self.refused(refusal)
        if case.fault_at is None or case.state is not CaseState.RECOVERED:
            return
        for field, histogram in self._seconds.items():
            at: datetime | None = getattr(case, field)
            if at is not None:
                seconds = (at - case.fault_at).total_seconds()
                histogram.labels(told).observe(max(seconds, 0.0))

    def refused(self, refusal: Refusal) -> None:
        """
        Something was not done.
        """
        self._refused.labels(refusal.reason.value).inc()


class Watchdog:
    """
    When the chain from rule to door was last heard of.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard_at = clock.now()

    def hear(self) -> None:
        """
        It is alive.
        """
        self._heard_at = self._clock.now()

    @property
    def age_seconds(self) -> float:
        """
        Seconds since; counted from this process' start when it was never heard.
        """
        return (self._clock.now() - self._heard_at).total_seconds()


class Gauges(Collector):
    """
    Joins, objectives, and the state of healing.
    """

    def __init__(
        self, view: View, store: Store, clock: Clock, watchdog: Watchdog
    ) -> None:
        self._view = view
        self._store = store
        self._clock = clock
        self._watchdog = watchdog
        self._lock = Lock()
        self._began: dict[tuple[str, str], datetime] = {}

    def describe(self) -> list[Metric]:
        """
        Nothing beforehand: descriptions come with the samples.
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """
        All samples now.
        """
        yield from self._joins()
        yield from self._objectives()
        yield from self._services()
        yield from self._healing()

    def _joins(self) -> Iterator[Metric]:
        members = GaugeMetricFamily(
            c.MEMBER_INFO,
            "A member's ids and its place.",
            labels=[*c.MEMBER_LABELS, c.POOL_ID, c.MEMBER_ID, "load_balancer_id"],
        )
        by_role = GaugeMetricFamily(
            c.MEMBER_BY_ROLE,
            "1 for a member whose pool asks for a role: being down there is expected of all in another.",
            labels=list(c.MEMBER_LABELS),
        )
        listeners = GaugeMetricFamily(
            c.LISTENER_INFO,
            "A listener's id and its service.",
            labels=[*c.SERVICE_LABELS, c.LISTENER_ID, "load_balancer_id"],
        )
        for platform, _service, group, instance in healer_targets.instances(self._view):
            inventory = self._view.inventory(platform.name)
            found = pool_member(inventory, group, instance.name) if inventory else None
            balancer = (
                inventory.load_balancer(found[0]) if inventory and found else None
            )
            pool = balancer.pool(found[1]) if balancer and found else None
            if found is None or balancer is None or pool is None:
                continue
            labels = healer_targets.member_labels(platform, _service, group, instance)
            place = [labels[name] for name in c.MEMBER_LABELS]
            members.add_metric([*place, pool.id, found[2].id, balancer.id], 1)
            if any(one.role and one.pool == found[1] for one in group.memberships):
                by_role.add_metric(place, 1)
        for platform in self._view.platforms:
            inventory = self._view.inventory(platform.name)
            for service in platform.services if inventory else ():
                for spec in service.load_balancers:
                    assert inventory is not None
                    balancer = inventory.load_balancer(spec.name)
                    for listener in balancer.listeners if balancer else ():
                        assert balancer is not None
                        listeners.add_metric(
                            [platform.name, service.name, listener.id, balancer.id], 1
                        )
        yield members
        yield by_role
        yield listeners

    def _objectives(self) -> Iterator[Metric]:
        def family(name: str, text: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(name, text, labels=list(c.OBJECTIVE_LABELS))

        target = family(c.OBJECTIVE_RATIO, "The share of good requests promised.")
        budget = family(c.BUDGET_RATIO, "The share of requests that may be bad.")
        window = family(c.WINDOW_DAYS, "The window over which it holds.")
        threshold = family(c.LATENCY_THRESHOLD, "A slower answer is bad.")
        for platform in self._view.platforms:
            for service in platform.services:
                for one in service.objectives:
                    labels = [
                        platform.name,
                        service.name,
                        one.name,
                        one.indicator.value,
                    ]
                    target.add_metric(labels, one.target)
                    budget.add_metric(labels, one.budget_ratio)
                    window.add_metric(labels, one.window_days)
                    if one.threshold_seconds is not None:
                        threshold.add_metric(labels, one.threshold_seconds)
        yield from (target, budget, window, threshold)

    def _services(self) -> Iterator[Metric]:
        info = GaugeMetricFamily(
            c.SERVICE_INFO,
            "A service and its blueprint.",
            labels=[*c.SERVICE_LABELS, "blueprint"],
        )
        age = GaugeMetricFamily(
            c.SERVICE_AGE,
            "Seconds since the service's oldest instance that we met was made.",
            labels=list(c.SERVICE_LABELS),
        )
        floor = GaugeMetricFamily(
            c.MIN_HEALTHY,
            "Members that must go on serving.",
            labels=[*c.SERVICE_LABELS, c.GROUP],
        )
        now = self._clock.now()
        for platform in self._view.platforms:
            for service in platform.services:
                place = [platform.name, service.name]
                info.add_metric([*place, service.blueprint], 1)
                began = self._begin(platform.name, service.name)
                if began is not None:
                    age.add_metric(place, (now - began).total_seconds())
                for group in service.groups:
                    floor.add_metric([*place, group.name], group.healing.min_healthy)
        yield from (info, age, floor)

    def _begin(self, platform: str, service: str) -> datetime | None:
        inventory = self._view.inventory(platform)
        made = [
            instance.created_at
            for instance in (inventory.instances if inventory else ())
            if instance.owner
            and instance.owner.service == service
            and instance.created_at
        ]
        with self._lock:
            known = self._began.get((platform, service))
            oldest = min([*made, *([known] if known else [])], default=None)
            if oldest is not None:
                self._began[platform, service] = oldest
            return oldest

    def _healing(self) -> Iterator[Metric]:
        watchdog = GaugeMetricFamily(
            c.WATCHDOG_AGE, "Seconds since the Watchdog was last heard."
        )
        watchdog.add_metric([], self._watchdog.age_seconds)
        yield watchdog
        cases = GaugeMetricFamily(
            c.CASES_OPEN, "Open cases by state.", labels=[*c.SERVICE_LABELS, "state"]
        )
        enabled = GaugeMetricFamily(c.HEALING_ENABLED, "1 while healing is on.")
        try:
            found = self._store.cases.cases(open_only=True, limit=1_000)
            enabled.add_metric([], float(self._store.switches.is_on("healing")))
        except StoreError:
            return
        counted: dict[tuple[str, str, str], int] = {}
        for case in found:
            key = (case.subject.platform, case.subject.service, case.state.value)
            counted[key] = counted.get(key, 0) + 1
        for key, number in counted.items():
            cases.add_metric(list(key), number)
        yield from (cases, enabled)
