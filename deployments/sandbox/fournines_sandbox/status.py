"""
What state a cloud is in, observed from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fournines_sandbox import lifecycle, supervision
from fournines_sandbox.network import kernel
from fournines_sandbox.site import Site


@dataclass(frozen=True, slots=True)
class Service:
    """
    One supervised process.

    Args:
        answers: Whether its API answers; none for processes without one.
        memory_mb: Proportional share of memory (PSS).
    """

    name: str
    state: str
    pid: int
    seconds: int
    answers: bool | None
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Report:
    """
    A cloud's state.

    Args:
        up: Every process runs and every API answers.
        namespaces: Network namespaces by kind.
    """

    up: bool
    home: str
    slot: int
    auth_url: str
    services: list[Service]
    namespaces: dict[str, int]


def observed(site: Site) -> Report:
    """
    Look at a cloud.
    """
    services = [
        Service(
            name=process.name,
            state=process.state,
            pid=process.pid,
            seconds=process.seconds,
            answers=(
                lifecycle.answering(site, process.name)
                if process.name in supervision.SERVICES
                else None
            ),
            memory_mb=_memory_mb(process.pid),
        )
        for process in supervision.processes(site)
    ]
    kinds = [
        name.removeprefix(f"{site.prefix}-")[:2] for name in kernel.netns_names(f"{site.prefix}-")
    ]
    return Report(
        up=bool(services)
        and all(item.state == "RUNNING" and item.answers is not False for item in services),
        home=str(site.home),
        slot=site.slot,
        auth_url=f"{site.url('keystone')}/v3",
        services=services,
        namespaces={kind: kinds.count(kind) for kind in sorted(set(kinds))},
    )


def rendered(report: Report) -> str:
    """
    A report for people.
    """
    if not report.services:
        return f"The cloud in {report.home} is down."
    lines = [f"{'process':<12}{'state':<10}{'answers':<9}{'pid':>8}{'memory':>10}{'up for':>10}"]
    for item in report.services:
        answers = {True: "yes", False: "NO", None: "-"}[item.answers]
        lines.append(
            f"{item.name:<12}{item.state:<10}{answers:<9}{item.pid:>8}"
            f"{item.memory_mb:>7} MB{item.seconds:>8} s"
        )
    total = sum(item.memory_mb for item in report.services)
    lines.append(f"{'in all':<39}{total:>7} MB")
    lines.append(f"{'Up' if report.up else 'NOT up'}; Keystone at {report.auth_url}")
    return "\n".join(lines)


def _memory_mb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    kilobytes = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return kilobytes // 1024
