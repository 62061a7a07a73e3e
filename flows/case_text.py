"""
A case for people: evidence, plan and verdict in markdown. The same texts go into Prefect's artifacts, live or afterwards.
"""

from __future__ import annotations

from flows.examination import Examination
from fournines.model.case import Case
from fournines.planning.plan import Plan


def verdict(case: Case) -> str:
    """
    A case for people, in markdown.
    """
    lines = [
        f"## {case.subject.key}: {case.state.value}",
        "",
        case.verdict or "still open",
        "",
        "| when | after the fault | event | what |",
        "|---|---|---|---|",
    ]
    begin = case.fault_at or case.opened_at
    for told in case.events:
        after = (told.at - begin).total_seconds()
        text = told.text.replace("|", "\\|")
        lines.append(
            f"| {told.at:%H:%M:%S.%f} | {after:.2f} s | {told.event} | {text} |"
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
        seen.finding.saw,
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
        lines.append(f"- alerts: {', '.join(evidence.firing)}")
    return "\n".join(lines)


def plan_of(plan: Plan, why: str, rejected: dict[str, str]) -> str:
    """
    A plan in markdown: its steps, why this rung, and why not the others.
    """
    lines = [f"## {plan.id}", "", why, "", "| step | after |", "|---|---|"]
    lines += [f"| {s.id} | {', '.join(s.needs) or '-'} |" for s in plan.steps]
    lines += ["", *(f"- not {rung}: {reason}" for rung, reason in rejected.items())]
    return "\n".join(lines)
