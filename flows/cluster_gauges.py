"""
What stateful services say of themselves, in numbers: members, votes, quorum, leader, lag.

Read on a rhythm of its own and kept; a view that could not be read leaves nothing but `fournines_cluster_known` 0, so that silence is seen as such.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts import conventions as c
from flows.healer_view import View
from fournines.model.cluster import ClusterView, Role
from tasks import membership
from tasks.workshop import Workshop

Key = tuple[str, str, str]

_LABELS = (*c.SERVICE_LABELS, c.GROUP)


class ClusterGauges(Collector):
    """
    Gauges of the last views.
    """

    def __init__(self, workshop: Workshop, view: View) -> None:
        self._workshop = workshop
        self._view = view
        self.views: dict[Key, ClusterView | None] = {}

    def read(self) -> None:
        """
        Ask every stateful group.
        """
        found: dict[Key, ClusterView | None] = {}
        for platform in self._view.platforms:
            inventory = self._view.inventory(platform.name)
            for service in platform.services if inventory else ():
                for group in service.groups:
                    one = membership.ward(self._workshop, service, group)
                    if one is not None and inventory is not None:
                        key = (platform.name, service.name, group.name)
                        found[key] = membership.view(one, inventory)
        self.views = found

    def describe(self) -> list[Metric]:
        """
        Nothing beforehand: descriptions come with the samples.
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """
        All samples of the last views.
        """
        views = self.views
        yield _family(
            c.CLUSTER_KNOWN,
            "1 when the group said how it is.",
            {key: float(view is not None) for key, view in views.items()},
        )
        known = {key: view for key, view in views.items() if view is not None}
        for name, text, value in (
            (c.CLUSTER_MEMBERS, "Members that run.", _running),
            (c.CLUSTER_VOTERS, "Members that the consensus counts.", _voters),
            (c.CLUSTER_VOTES, "Members that vote.", _votes),
            (c.CLUSTER_QUORUM, "Votes that it takes.", _quorum),
            (c.CLUSTER_PROBLEMS, "What the service complains of.", _problems),
        ):
            yield _family(name, text, {key: value(v) for key, v in known.items()})
        led = {key: view for key, view in known.items() if _is_led(view)}
        yield _family(
            c.CLUSTER_LEADER,
            "1 when a leader is known; peers that take turns have none to speak of.",
            {key: _leader(view) for key, view in led.items()},
        )
        settled = GaugeMetricFamily(
            c.CLUSTER_SETTLED,
            "1 when a member runs, has all that was acknowledged, and votes where it should.",
            labels=list(c.MEMBER_LABELS),
        )
        lag = GaugeMetricFamily(
            c.CLUSTER_LAG,
            "Bytes that a member is behind the primary.",
            labels=[*_LABELS, c.SLOT],
        )
        for key, view in known.items():
            for member in view.members:
                slot = member.slot_name.rpartition("-")[2]
                if member.lag_bytes is not None:
                    lag.add_metric([*key, slot], member.lag_bytes)
                if member.instance is not None:
                    place = [*key, slot, member.instance]
                    settled.add_metric(place, float(member.settled))
        yield settled
        yield lag


def _family(name: str, text: str, samples: dict[Key, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=list(_LABELS))
    for key, value in samples.items():
        family.add_metric(list(key), value)
    return family


def _running(view: ClusterView) -> float:
    return sum(member.running for member in view.members)


def _voters(view: ClusterView) -> float:
    return view.voters


def _votes(view: ClusterView) -> float:
    return view.votes


def _quorum(view: ClusterView) -> float:
    return view.quorum


def _is_led(view: ClusterView) -> bool:
    return any(m.role in {Role.PRIMARY, Role.REPLICA} for m in view.members)


def _leader(view: ClusterView) -> float:
    return float(view.leader is not None)


def _problems(view: ClusterView) -> float:
    return len(view.problems)
