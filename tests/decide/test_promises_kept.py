"""
What `fournines slo` and `status` read of promises: each objective beside its figures, and silence where nothing is measured.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts import conventions as c
from flows import promises
from fournines.metrics.protocol import MetricsError, Sample
from fournines.model.objective import Indicator, Objective
from tests.decide.planned_world import a_platform

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PROMISED = Objective(name="transactions", indicator=Indicator.TRANSACTIONS)


class Given:
    """
    Metrics whose answers are given.
    """

    def __init__(self, **answers: float) -> None:
        self.answers = answers
        self.silent = False

    def instant(self, query):
        """
        The value of the first answer whose name the query begins with.
        """
        if self.silent:
            raise MetricsError("nobody answers")
        labels = {"platform": "demo", "service": "shop", "slo": "transactions"}
        return tuple(
            Sample(labels, value, NOW)
            for name, value in self.answers.items()
            if query.startswith(name)
        )


def platform():
    """
    A platform whose one service promises transactions.
    """
    made = a_platform(shop={"count": 1}, min_healthy=0)
    service = made.services[0].model_copy(update={"objectives": (PROMISED,)})
    return made.model_copy(update={"services": (service,)})


def test_an_objective_and_how_it_stands():
    """
    What is left and spent of its budget, and its burn: the share of bad ones over the share that may be.
    """
    metrics = Given(
        **{
            c.REC_BUDGET_REMAINING: 0.75,
            c.REC_BUDGET_SPENT: 64.8,
            c.errors_over("5m"): 0.001,
            c.errors_over("1h"): float("nan"),
        }
    )
    (found,) = promises.read(metrics, [platform()])

    assert (found.service, found.objective) == ("shop", PROMISED)
    assert (found.left_ratio, found.spent_seconds) == (0.75, 64.8)
    assert found.burn == {"5m": pytest.approx(10), "1h": None}


def test_what_nobody_measures_is_not_said():
    """
    No figure is made up.
    """
    (found,) = promises.read(Given(), [platform()])

    assert found.left_ratio is found.spent_seconds is None
    assert set(found.burn.values()) == {None}


def test_one_service_of_several():
    """
    Asked for one, the others are left out.
    """
    assert promises.read(Given(), [platform()], service="other") == ()


def test_a_prometheus_that_is_away_is_told():
    """
    Whoever asks hears that nothing could be read.
    """
    metrics = Given()
    metrics.silent = True
    with pytest.raises(MetricsError):
        promises.read(metrics, [platform()])
