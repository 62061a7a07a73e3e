"""
The bench: figures as a table for people, as JSON and as a chart, each with the machine's load.

`make bench` runs all of it, `make bench ONLY=detection` one file; FOURNINES_BENCH_SCALE=0.1 is a quick look.
"""

import statistics
import time

import pytest

from tests.bench.figures import Figures
from tests.sandbox.conftest import (  # noqa: F401  benches of platform services need the embedded cloud
    admin,
    cloud,
    eventually,
    member,
)

REPEATS = 5

_figures = Figures()


def pytest_collection_modifyitems(items):
    """Everything here is a bench, whatever it is called."""
    for item in items:
        if "tests/bench" in str(item.path):
            item.add_marker(pytest.mark.bench)


@pytest.fixture
def figures():
    """
    Note a figure: `figures.note(goal number, what, value, unit, goal=..., others=...)`.
    """
    return _figures


@pytest.fixture
def record():
    """
    As `figures.note`, by position.
    """

    def note(goal, what, value, unit, target=""):
        _figures.note(goal, what, value, unit, goal=target)

    return note


@pytest.fixture
def median_seconds():
    """
    The median wall time of several calls of a function.
    """

    def measure(call, repeats=REPEATS):
        taken = []
        for _ in range(repeats):
            begin = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begin)
        return statistics.median(taken)

    return measure


def pytest_terminal_summary():
    """Print the table, write JSON and chart."""
    if _figures.rows:
        _figures.keep()
