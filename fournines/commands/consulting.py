"""
heal: what the healer would do with a slot now, and why not. Nothing is touched.
"""

from __future__ import annotations

from typing import Annotated

import typer

from blueprints.problem import did_you_mean
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.metrics.prometheus import Prometheus
from fournines.model.case import Subject
from fournines.settings import settings
from tasks.workshop import Workshop

app = typer.Typer(rich_markup_mode=None)


@app.command()
def heal(
    service: Annotated[str, typer.Argument(help="A deployed service.")],
    *,
    slot: Annotated[int | None, typer.Option(min=0, help="All by default.")] = None,
    group: Annotated[str | None, typer.Option(help="All by default.")] = None,
    platform: Annotated[str | None, typer.Option(help="If several.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done.")
    ] = False,
    why_not: Annotated[
        bool, typer.Option("--why-not", help="Say what speaks against doing more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    What the healer would do with a service's members now, or why it does nothing; touches nothing.
    """
    if not (dry_run or why_not):
        raise frame.Stop(
            "say --dry-run or --why-not: the healer heals by itself, and the run button "
            "`heal` in the Prefect UI makes it look at once",
            frame.WRONG,
        )
    consultation = frame.load("flows.consultation")
    ward = frame.load("flows.ward").Ward
    with frame.workshop() as workshop:
        subjects = _subjects(workshop, platform, service, group, slot)
        there = ward.over(workshop, Prometheus(settings().url("prometheus")))
        found = [consultation.consult(there, subject) for subject in subjects]
    if as_json:
        frame.say_json(
            [
                {
                    "subject": one.seen.situation.subject.key,
                    "instance": one.seen.situation.subject.instance,
                    "finding": one.seen.finding.model_dump(mode="json"),
                    "brakes": [r.model_dump(mode="json") for r in one.objections],
                    "choice": one.choice.model_dump(mode="json"),
                    "plan": [step.id for step in one.plan.steps],
                    "rehearsal": one.rehearsed.model_dump(mode="json")
                    if one.rehearsed
                    else None,
                    "obstacles": one.obstacles,
                    "asks": one.asks,
                    "would_act": one.would_act,
                }
                for one in found
            ]
        )
        return
    for one in found:
        for line in consultation.text(one, why_not=why_not and not dry_run):
            frame.say(line)


def _subjects(
    workshop: Workshop,
    platform: str | None,
    service: str,
    group: str | None,
    slot: int | None,
) -> list[Subject]:
    """
    The slots that are meant, each with the instance there.
    """
    found = []
    for where in workshop.store.registry.platforms():
        for one in where.services:
            if one.name != service or platform not in {None, where.name}:
                continue
            inventory = workshop.cloud.inventory(where.name, service)
            for kind in one.groups:
                if group not in {None, kind.name}:
                    continue
                here = {
                    i.owner.slot: i.name
                    for i in inventory.of_group(service, kind.name)
                    if i.owner
                }
                found += [
                    Subject(
                        platform=where.name,
                        service=service,
                        group=kind.name,
                        slot=number,
                        instance=here.get(number),
                    )
                    for number in range(kind.count)
                    if slot in {None, number}
                ]
    if not found:
        meant = service if slot is None else f"{service}, slot {slot}"
        there = {
            s.name for p in workshop.store.registry.platforms() for s in p.services
        }
        hint = did_you_mean(service, there - {service})
        raise frame.Stop(
            f"nothing deployed is {meant}{hint if service not in there else ''}; `fournines status` shows what is",
            frame.WRONG,
        )
    return found
