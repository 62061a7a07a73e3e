"""
A case for people: evidence, plan and verdict in markdown. The same texts go into Prefect's artifacts, live or afterwards.
"""

from __future__ import annotations

from flows.examination import Examination
from fournines.model.case import Case
from fournines.model.plain import markdown
from fournines.planning.plan import Plan


def verdict(case: Case) -> str:
    """
    A case for people, in markdown.
    """
    lines = [
        f"## {case.subject.key}: {case.state.value}",
        "",
        markdown(case.verdict or "still open"),
        "",
        "| when | after the fault | event | what |",
        "|---|---|---|---|",
    ]
    begin = case.fault_at or case.opened_at
    for told in case.events:
        after = (told.at - begin).total_seconds()
        lines.append(
            f"| {told.at:%H:%M:%S.%f} | {after:.2f} s | {markdown(told.event)} "
            f"| {markdown(told.text)} |"
        )
    return "\n".join(lines)


def evidence_of(seen: Examination) -> str:
    """
    What was seen, in markdown.
    """
    evidence = seen.evidence
    lines = [
        f"## {seen.situation.subject.instance}: {seen.finding.diagnosis.value}",
        "",
        markdown(seen.finding.saw),
        "",
        (
            f"- Nova: {evidence.instance_status}; load balancer: "
            f"{evidence.operating_status}, weight {evidence.weight}"
        ),
    ]
    lines += [
        f"- {probe.path}: {probe.answer.value} {probe.status or ''} "
        f"in {probe.seconds:.3f} s at {probe.at:%H:%M:%S.%f}"
        for probe in evidence.probes
    ]
    if evidence.firing:
        lines.append(f"- alerts: {markdown(', '.join(evidence.firing))}")
    return "\n".join(lines)


def plan_of(plan: Plan, why: str, rejected: dict[str, str]) -> str:
    """
    A plan in markdown: its steps, why this rung, and why not the others.
    """
    lines = [f"## {plan.id}", "", markdown(why), "", "| step | after |", "|---|---|"]
    lines += [f"| {s.id} | {', '.join(s.needs) or '-'} |" for s in plan.steps]
    lines += [
        "",
        *(f"- not {rung}: {markdown(reason)}" for rung, reason in rejected.items()),
    ]
    return "\n".join(lines)
