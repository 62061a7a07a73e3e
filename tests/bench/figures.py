"""
Figures: collected, drawn beside the goal and the others', kept as JSON and as a chart.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from rich.console import Console
from rich.table import Table

mpl.use("svg")

from matplotlib import pyplot as plt

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"
COLUMNS = ("goal", "what", "value", "unit", "target", "others", "load")


def scale() -> float:
    """
    How much of a bench is run: FOURNINES_BENCH_SCALE, 1 is all of it, 0.1 a quick look.
    """
    return float(os.environ.get("FOURNINES_BENCH_SCALE", "1"))


def percentile(values: Sequence[float], percent: float) -> float:
    """
    The nearest-rank percentile; not a number when there is nothing.
    """
    if not values:
        return math.nan
    ranked = sorted(values)
    place = math.ceil(percent / 100 * len(ranked)) - 1
    return ranked[max(0, min(place, len(ranked) - 1))]


class Figures:
    """
    The figures of this run.
    """

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def note(
        self,
        number: int | str,
        what: str,
        value: float,
        unit: str,
        *,
        goal: str = "",
        others: str = "",
    ) -> None:
        """
        One figure, with the machine's load of this moment.
        """
        self.rows.append(
            {
                "bench": os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0],
                "goal": number,
                "what": what,
                "value": None if math.isnan(value) else round(value, 4),
                "unit": unit,
                "target": goal,
                "others": others,
                "load": round(os.getloadavg()[0], 2),
                "scale": scale(),
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )

    def keep(self) -> None:
        """
        Show and write. Figures of benches that did not run this time are kept from before.
        """
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / "latest.json"
        before = json.loads(file.read_text()) if file.exists() else []
        now = {row["bench"] for row in self.rows}
        kept = [row for row in before if row.get("bench") not in now]
        rows = sorted(kept + self.rows, key=lambda r: str(r["goal"]).zfill(3))
        file.write_text(json.dumps(rows, indent=2) + "\n")
        chart(rows, RESULTS / "latest.svg")
        Console(width=160).print(table(self.rows))


def table(rows: list[dict]) -> Table:
    """
    As people read it.
    """
    shown = Table(title="Figures")
    for column in COLUMNS:
        right = column in {"value", "load"}
        shown.add_column(column, justify="right" if right else "left")
    for row in rows:
        shown.add_row(*(str(row.get(column, "")) for column in COLUMNS))
    return shown


def chart(rows: list[dict], file: Path) -> None:
    """
    Every figure in seconds as a bar on a logarithmic scale.
    """
    shown = [r for r in rows if r["unit"] in {"s", "ms"} and r["value"]]
    if not shown:
        return
    seconds = [r["value"] / (1_000 if r["unit"] == "ms" else 1) for r in shown]
    names = [f"{r['goal']}  {r['what']}" for r in shown]
    figure, axes = plt.subplots(figsize=(9, 1 + 0.32 * len(shown)))
    axes.barh(range(len(shown)), seconds, color="#2a6f97")
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("seconds")
    for place, value in enumerate(seconds):
        axes.text(value, place, f" {value:.3g}", va="center", fontsize=8)
    axes.margins(x=0.15)
    figure.tight_layout()
    figure.savefig(file)
    plt.close(figure)
