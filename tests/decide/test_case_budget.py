"""
What an incident cost: the query that a closing case asks, evaluated by promtool on an imagined service.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.generation.rehearsal import World
from flows import heal_measures
from fournines.metrics.protocol import Sample

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LASTED_SECONDS = 30


class Asked:
    """
    Metrics that keep the query.
    """

    query = ""

    def instant(self, query: str) -> tuple[Sample, ...]:
        """
        Any answer.
        """
        self.query = query
        return (Sample({}, 1.25049, NOW),)

    def over(
        self, query: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Sample, ...]:
        """
        Nobody asks for it.
        """
        raise NotImplementedError

    def ready(self) -> bool:
        """
        Always.
        """
        return True


def spent_query() -> str:
    """
    The query for a case that lasted half a minute.
    """
    asked = Asked()
    end = NOW + timedelta(seconds=LASTED_SECONDS)
    spent = heal_measures.budget_seconds(
        asked, platform="demo", service="shop", begin=NOW, end=end
    )
    assert spent == 1.25
    return asked.query


def slow_member() -> World:
    """
    A quarter of the requests is answered, and too late.
    """
    bucket = "http_request_duration_seconds_bucket"
    return World().change(bucket, 0.0, le="0.5", slot="2")


@pytest.mark.parametrize(
    ("world", "least", "most"),
    [
        pytest.param(World(), -0.01, 0.01, id="good-answers-cost-nothing"),
        pytest.param(World().errors(0.25), 3.0, 6.0, id="a-quarter-of-5xx"),
        pytest.param(World().errors(1.0), 14.0, 22.0, id="an-outage"),
        pytest.param(slow_member(), 3.0, 6.0, id="a-quarter-too-slow"),
    ],
)
def test_what_users_call_bad_is_spent(promtool, world, least, most):
    """
    Bad answers of twenty seconds, less the ten that the window needs to fill, as seconds of full outage; slow ones count as failed ones do.
    """
    query = spent_query()
    within = f"(({query}) > bool {least}) * (({query}) < bool {most})"

    promtool(world.plain(), values={(within, 50): 1.0})


def test_without_objectives_errors_count(promtool):
    """
    A service that promises nothing has its 5xx counted at the edge.
    """
    world = World(members=0).errors(0.5)
    series = [s for s in world.plain() if "slo" not in s["series"]]
    query = spent_query()

    promtool(series, values={(f"({query}) > bool 5", 50): 1.0})


def test_nothing_measured_is_not_nothing_spent():
    """
    Silence is None.
    """

    class Silent(Asked):
        def instant(self, query: str) -> tuple[Sample, ...]:
            return ()

    assert (
        heal_measures.budget_seconds(
            Silent(), platform="demo", service="shop", begin=NOW, end=NOW
        )
        is None
    )
