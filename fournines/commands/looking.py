"""
status: what is deployed, and how it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import typer

from flows import promises
from fournines.clock import SystemClock
from fournines.cloud.errors import CloudError
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.local.supervision import states
from fournines.metrics.prometheus import Prometheus
from fournines.metrics.protocol import MetricsError
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Inventory, Member
from fournines.planning.pools import SERVING_STATUSES
from fournines.settings import Settings, settings
from fournines.store.switches import HEALING
from healing.situation import pool_member
from tasks import observe, restraints

app = typer.Typer(rich_markup_mode=None)

ADDRESS = "@FLOATING_IP@"


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """
    What is deployed, and how it is.
    """
    chosen = settings()
    local = [
        {"program": s.name, "state": s.state, "since_seconds": s.since_seconds}
        for s in states(chosen)
    ]
    with frame.store() as store:
        known = store.registry.platforms()
        seen, trouble = _seen([platform.name for platform in known])
        nothing = Inventory(at=SystemClock().now(), platform="")
        left = _budgets(chosen, known)
        platforms = [_platform(p, seen.get(p.name, nothing), left) for p in known]
        document = {
            "cloud": trouble or "read",
            "healing": "on" if store.switches.is_on(HEALING) else "off",
            "restraints": restraints.sentences(store, SystemClock().now()),
            "open_cases": [case.id for case in store.cases.cases(open_only=True)],
            "platforms": platforms,
            "programs": local,
        }
    if as_json:
        frame.say_json(document)
    else:
        _show_status(document)


def _seen(platforms: list[str]) -> tuple[dict[str, Inventory], str]:
    """
    What the cloud has of each platform; or why it could not be asked: the rest is worth showing then, too.
    """
    if not platforms:
        return {}, ""
    try:
        with frame.workshop() as workshop:
            return {name: observe.inventory(workshop, name) for name in platforms}, ""
    except CloudError as error:
        return {}, frame.sentence(error)


def _budgets(chosen: Settings, known: Sequence[Platform]) -> dict[str, float]:
    """
    The least share of budget that is left of each service's objectives; nothing of what nobody measures.
    """
    left: dict[str, float] = {}
    with suppress(MetricsError):
        for one in promises.read(Prometheus(chosen.url("prometheus")), known):
            if one.left_ratio is not None:
                key = f"{one.platform}/{one.service}"
                left[key] = min(one.left_ratio, left.get(key, one.left_ratio))
    return left


def _platform(
    platform: Platform, seen: Inventory, left: dict[str, float]
) -> dict[str, Any]:
    return {
        "platform": platform.name,
        "services": [
            _service(service, seen)
            | {"budget_left_ratio": left.get(f"{platform.name}/{service.name}")}
            for service in platform.services
        ],
    }


def outputs(service: Service, seen: Inventory) -> dict[str, str]:
    """
    Where users of a service go, by what it is for.
    """
    address = next(
        (
            balancer.floating_address or balancer.vip_address or ""
            for spec in service.load_balancers
            if (balancer := seen.load_balancer(spec.name)) is not None
        ),
        "",
    )
    return {
        name: text.replace(ADDRESS, address) for name, text in service.outputs.items()
    }


def _service(service: Service, seen: Inventory) -> dict[str, Any]:
    return {
        "service": service.name,
        "blueprint": f"{service.blueprint} {service.blueprint_version}",
        "wanted": sum(group.count for group in service.groups),
        "outputs": outputs(service, seen),
        "instances": [
            {
                "instance": instance.name,
                "status": instance.status,
                "zone": instance.zone,
                "address": instance.address,
                "member": member.operating_status if member else None,
                "weight": member.weight if member else None,
            }
            for group in service.groups
            for instance in seen.of_group(service.name, group.name)
            for member in [_member(seen, group, instance.name)]
        ],
    }


def _member(seen: Inventory, group: Group, instance: str) -> Member | None:
    """
    As its pools' word may be taken: who stands by in one role serves in another.
    """
    found = pool_member(seen, group, instance)
    return found[2] if found else None


def _show_status(document: dict[str, Any]) -> None:
    if document["programs"]:
        shown = frame.table("program", "state", "for")
        for one in document["programs"]:
            shown.add_row(one["program"], one["state"], f"{one['since_seconds']:.0f} s")
        frame.out.print(shown)
    read = document["cloud"] == "read"
    for platform in document["platforms"]:
        for service in platform["services"]:
            if not read:
                wanted = f"{platform['platform']}/{service['service']}"
                frame.say(f"{wanted}: {service['wanted']} instances asked for")
                continue
            _show_service(platform["platform"], service)
        if not platform["services"]:
            frame.say(f"{platform['platform']} has no services")
    if not document["platforms"]:
        frame.say("nothing is deployed; begin with: fournines deploy FILE")
    if document["cloud"] != "read":
        frame.complain(f"the cloud was not read: {document['cloud']}")
    count = len(document["open_cases"])
    frame.say(f"healing is {document['healing']}; {count} open cases")
    for line in document["restraints"]:
        frame.say(f"  {line}")


def _show_service(platform: str, service: dict[str, Any]) -> None:
    serving = [
        i
        for i in service["instances"]
        if i["member"] in SERVING_STATUSES and i["weight"]
    ]
    shown = frame.table(
        "instance",
        "status",
        "zone",
        "address",
        "member",
        "weight",
        title=f"\n{platform}/{service['service']}  ({service['blueprint']})  "
        f"{len(serving)} of {service['wanted']} serve",
    )
    for instance in service["instances"]:
        shown.add_row(*("" if v is None else str(v) for v in instance.values()))
    frame.out.print(shown)
    if service["budget_left_ratio"] is not None:
        frame.say(f"  budget left: {service['budget_left_ratio']:.2%}")
    for name, text in service["outputs"].items():
        frame.say(f"  {name}: {text}")
