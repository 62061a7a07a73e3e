"""
The bench: figures as a table for people and as JSON, each with the machine's load.
"""

import json
import os
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"
REPEATS = 5

_rows = []


def pytest_collection_modifyitems(items):
    """Everything here is a bench, whatever it is called."""
    for item in items:
        if "tests/bench" in str(item.path):
            item.add_marker(pytest.mark.bench)


@pytest.fixture
def record():
    """
    Note a figure: `record(goal, what, value, unit, target)`.
    """

    def note(goal, what, value, unit, target=""):
        _rows.append(
            {
                "goal": goal,
                "what": what,
                "value": round(value, 4),
                "unit": unit,
                "target": target,
                "load": round(os.getloadavg()[0], 2),
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )

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
    """Print the table and write the JSON."""
    if not _rows:
        return
    table = Table(title="Figures")
    for column in ("goal", "what", "value", "unit", "target", "load"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for row in _rows:
        table.add_row(
            *(str(row[key]) for key in ("goal", "what", "value", "unit", "target")),
            str(row["load"]),
        )
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(_rows, indent=2) + "\n")
