"""
status: what is deployed, and how it is.
"""

from __future__ import annotations

from typing import Any

import typer

from fournines.clock import SystemClock
from fournines.cloud.errors import CloudError
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.local.supervision import states
from fournines.model.desired import Platform, Service
from fournines.model.inventory import Inventory, Member
from fournines.settings import settings
from fournines.store.switches import HEALING
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
        platforms = [_platform(p, seen.get(p.name, nothing)) for p in known]
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


def _platform(platform: Platform, seen: Inventory) -> dict[str, Any]:
    return {
        "platform": platform.name,
        "services": [_service(service, seen) for service in platform.services],
    }


def _service(service: Service, seen: Inventory) -> dict[str, Any]:
    address = next(
        (
            balancer.floating_address or balancer.vip_address or ""
            for spec in service.load_balancers
            if (balancer := seen.load_balancer(spec.name)) is not None
        ),
        "",
    )
    return {
        "service": service.name,
        "blueprint": f"{service.blueprint} {service.blueprint_version}",
        "wanted": sum(group.count for group in service.groups),
        "outputs": {n: t.replace(ADDRESS, address) for n, t in service.outputs.items()},
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
            for member in [_member(seen, instance.name)]
        ],
    }


def _member(seen: Inventory, instance: str) -> Member | None:
    found = (
        member
        for balancer in seen.load_balancers
        for pool in balancer.pools
        for member in pool.members
        if member.name == instance
    )
    return next(found, None)


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
        if i["member"] in {"ONLINE", "NO_MONITOR"} and i["weight"]
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
    for name, text in service["outputs"].items():
        frame.say(f"  {name}: {text}")
