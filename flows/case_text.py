"""
A case for people: evidence, plan and verdict in markdown. The same texts go into Prefect's artifacts, live or afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from flows.examination import Examination
from fournines.model.approval import Approval
from fournines.model.case import Case
from fournines.model.plain import markdown
from fournines.planning.plan import Plan
from healing.scene import Scene
from tasks import case_report
from tasks.case_report import CaseReport


def verdict(case: Case, report: CaseReport | None = None) -> str:
    """
    A case for people, in markdown: what `fournines case` shows.
    """
    known = report or case_report.of(case)
    lines = [
        f"## {case.subject.key}: {case.state.value}",
        "",
        markdown(case.verdict or "still open"),
        *_table(("", ""), [(n, markdown(t)) for n, t in known.facts.items()]),
    ]
    if known.steps:
        lines += ["", "## Steps"]
        lines += _table(
            ("step", "state", "began", "expected", "took"),
            [
                (
                    f"`{row.step}`",
                    row.state + (f": {markdown(row.error)}" if row.error else ""),
                    _seconds(row.began_after_seconds),
                    _seconds(row.expected_seconds),
                    _seconds(row.took_seconds),
                )
                for row in known.steps
            ],
        )
    for title, rows in (
        ("Why not the other rungs", case_report.said_once(known.rejected)),
        ("Refusals", {r.reason.value: r.detail for r in case.refusals}),
        ("Evidence", known.evidence),
    ):
        if rows:
            lines += ["", f"## {title}"]
            lines += _table(
                ("", ""), [(markdown(n), markdown(t)) for n, t in rows.items()]
            )
    begin = case_report.begin_of(case)
    lines += ["", "## What happened"]
    lines += _table(
        ("when", "after the fault", "event", "what"),
        [
            (
                f"{told.at:%H:%M:%S.%f}",
                _seconds((told.at - begin).total_seconds()),
                markdown(told.event),
                markdown(told.text),
            )
            for told in case.events
        ],
    )
    return "\n".join(lines)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [
        "",
        *(f"| {' | '.join(row)} |" for row in (header, ("---",) * len(header), *rows)),
    ]


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


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
    scene = seen.situation.scene
    if scene is not None and scene.stateful:
        lines += ["", *(f"- {markdown(said)}" for said in _of_cluster(scene))]
    return "\n".join(lines)


def _of_cluster(scene: Scene) -> Iterator[str]:
    """
    What a stateful group says of itself, and what our own transactions got.
    """
    view = scene.cluster
    if view is None:
        yield f"nobody in {scene.subject.service} says how its members are"
    else:
        yield (
            f"{view.votes} of {view.voters} members of {view.service} vote, "
            f"{view.quorum} must; {view.leader or 'nobody'} leads"
        )
        for member in view.members:
            lag = (
                "" if member.lag_bytes is None else f", {member.lag_bytes} bytes behind"
            )
            said = f" ({member.detail})" if member.detail else ""
            yield f"{member.slot_name}: {member.role}, {member.state}{lag}{said}"
        yield from view.problems
    for one in scene.tried:
        came = "ok" if one.ok else one.error
        yield f"transaction at {one.at:%H:%M:%S.%f}: {came}, {one.seconds:.3f} s"


def approval_of(request: Approval) -> str:
    """
    What a person is asked, and how to answer, in markdown.
    """
    lines = [
        f"## {request.subject.key}: your word is needed",
        "",
        *(f"- {markdown(reason)}" for reason in request.reasons),
        "",
        f"Until {request.deadline_at:%Y-%m-%d %H:%M:%S} UTC; then: **{request.default}**.",
        "",
        f"Resume this run, or `fournines approve {request.case_id}`: it is done, unless the plan has changed.",
        f"Cancel this run, or `fournines reject {request.case_id}`: nothing is done.",
        "",
        *(f"1. {markdown(step)}" for step in request.steps),
    ]
    return "\n".join(lines)


def restraints_of(said: tuple[str, ...]) -> str:
    """
    What keeps healing back, in markdown.
    """
    lines = [f"- {markdown(one)}" for one in said] or ["Nothing: healing is on."]
    return "\n".join(["## Healing", "", *lines])


def plan_of(plan: Plan, why: str, rejected: dict[str, str]) -> str:
    """
    A plan in markdown: its steps, why this rung, and why not the others.
    """
    lines = [f"## {plan.id}", "", markdown(why), "", "| step | after |", "|---|---|"]
    lines += [f"| {s.id} | {', '.join(s.needs) or '-'} |" for s in plan.steps]
    lines += [
        "",
        *(
            f"- not {rungs}: {markdown(reason)}"
            for rungs, reason in case_report.said_once(rejected).items()
        ),
    ]
    return "\n".join(lines)
