"""
What the demonstrations show at their ends: a row per fault, a row per service.
"""

from __future__ import annotations

from rich.table import Table

from fournines.commands import frame
from fournines.demo.report import Report
from fournines.demo.whole_report import WholeReport


def fault_table(made: Report) -> Table:
    """
    The web service's faults.
    """
    table = frame.table(
        "fault",
        "noticed",
        "out",
        "whole",
        "requests",
        "bad",
        "budget",
        "verdict",
    )
    for row in made.faults:
        table.add_row(
            row.kind,
            _after(row.detected_seconds),
            _after(row.out_of_pool_seconds),
            _after(row.redundancy_restored_seconds),
            str(row.requests),
            str(row.bad_requests),
            f"{row.budget_seconds:.2f} s",
            row.verdict,
        )
    return table


def services_table(made: WholeReport, platform: str) -> Table:
    """
    A whole platform's services, and what happened to each.
    """
    table = frame.table(
        "service", "what", "to", "waited", "whole", "told done", "lost", "verdict"
    )
    for row in made.services:
        waited = row.waited_seconds
        table.add_row(
            row.service,
            row.fault,
            row.subject.removeprefix(f"{platform}-{row.service}-"),
            "" if waited is None else f"{waited:.1f} s",
            _after(row.recovered_seconds),
            str(row.acknowledged),
            str(row.lost),
            row.verdict,
        )
    return table


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
