"""
Mending by name: whatever a person calls what is broken, what it stands for is found and put right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fournines_sandbox.compute.hosts import BY_NAME, ZONES
from fournines_sandbox.compute.machine import Machine, all_machines
from fournines_sandbox.compute.record import Record
from fournines_sandbox.faults import (
    api,
    balancers,
    boots,
    hosts,
    kinds,
    names,
    outages,
    standing,
    timers,
)
from fournines_sandbox.faults.problem import FaultError
from fournines_sandbox.faults.standing import API, HOST, IMAGE, SLOW_BOOT
from fournines_sandbox.site import Site

ALL = "all"


@dataclass(frozen=True, slots=True)
class Mended:
    """
    What was put right, for people and as facts.
    """

    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)


def instance(site: Site, wanted: str) -> tuple[Machine, Record]:
    """
    The instance with this id or name, or the only one whose id or name begins so.

    Raises:
        FaultError: There is none, or more than one.
    """
    known = [(machine, found) for machine in all_machines(site) if (found := machine.record)]
    exact = [item for item in known if wanted in (item[1].uuid, item[1].name)]
    begun = [
        item for item in known if item[1].uuid.startswith(wanted) or item[1].name.startswith(wanted)
    ]
    found = exact or begun
    if len(found) == 1:
        return found[0]
    called = ", ".join(sorted(record.name for _, record in (found or known))) or "none"
    if found:
        raise FaultError(f"{wanted} could be any of several instances: {called}")
    raise FaultError(f"no instance is called {wanted}; there are: {called}")


def mend(site: Site, target: str) -> list[Mended]:
    """
    Undo what was broken of a target.

    Raises:
        FaultError: Nothing is called so, or it cannot be mended from here.
    """
    if target == ALL:
        return everything(site)
    if target in BY_NAME or target in ZONES:
        return [_host(site, target)]
    if target in outages.PROCESSES:
        return [_outage(site, target)]
    if target in _ALONE:
        return [_ALONE[target](site)]
    image = next((f for f in standing.all_of(site, IMAGE) if target in (f.target, f.name)), None)
    if image is not None:
        return [_image(site, image.target, image.name)]
    balancer = _balancer_called(site, target)
    return [_balancer(site, balancer, target) if balancer else _instance(site, target)]


def everything(site: Site) -> list[Mended]:
    """
    Undo all that stands.
    """
    timers.disarm_all(site)
    mended = [_outage(site, what) for what in outages.standing(site)]
    for fault in standing.all_of(site):
        if fault.sort == API:
            mended.append(_api(site))
        elif fault.sort == SLOW_BOOT:
            mended.append(_slow_boot(site))
        elif fault.sort == HOST:
            mended.append(_host(site, fault.target))
        elif fault.sort == IMAGE:
            mended.append(_image(site, fault.target, fault.name))
    mended += [_balancer(site, item, item) for item in balancers.frozen(site)]
    for machine in all_machines(site):
        if kinds.present(machine):
            kind, sentence = kinds.mend(machine)
            mended.append(Mended(sentence, {"kind": kind, "instance": machine.uuid}))
    return mended


def _balancer_called(site: Site, target: str) -> str | None:
    """The id of the load balancer of this name; none when an instance is called so, or nothing."""
    if target in balancers.frozen(site):
        return target
    records = (machine.record for machine in all_machines(site))
    if any(record and target in (record.uuid, record.name) for record in records):
        return None
    try:
        return names.find(site, "load balancer", target).id
    except FaultError:
        return None


def _instance(site: Site, target: str) -> Mended:
    machine, record = instance(site, target)
    timers.disarm(site, record.uuid)
    kind, sentence = kinds.mend(machine)
    return Mended(sentence, {"kind": kind, "instance": record.uuid, "name": record.name})


def _host(site: Site, target: str) -> Mended:
    timers.disarm(site, target)
    down = [name for name in hosts.hosts_of(target) if standing.host_down(site, name)]
    if not down:
        return Mended(f"{target} was not down", {"kind": ""})
    hosts.bring_back(site, down)
    return Mended(
        f"{', '.join(down)} up again; Nova boots what it believes to run there",
        {"kind": "host-down", "hosts": down},
    )


def _api(site: Site) -> Mended:
    timers.disarm(site, API)
    fault = standing.find(site, API)
    if fault is None:
        return Mended("the APIs were not broken", {"kind": ""})
    fault.end(site)
    counts = api.counts(site)
    total = sum(sum(kinds_.values()) for kinds_ in counts.values())
    return Mended(
        f"the APIs are mended, after {total} faults", {"kind": API, "faults": total, **counts}
    )


def _slow_boot(site: Site) -> Mended:
    timers.disarm(site, SLOW_BOOT)
    fault = standing.find(site, SLOW_BOOT)
    boots.quicken(site)
    if fault is None:
        return Mended("boots were not slow", {"kind": ""})
    fault.end(site)
    return Mended("instances boot as quickly as before", {"kind": SLOW_BOOT})


def _image(site: Site, identifier: str, name: str) -> Mended:
    timers.disarm(site, identifier)
    standing.path(site, IMAGE, identifier).unlink(missing_ok=True)
    return Mended(f"image {name} is good again", {"kind": "bad-image", "image": identifier})


def _outage(site: Site, what: str) -> Mended:
    timers.disarm(site, what)
    if outages.mend(site, what):
        return Mended(f"{what} is started again", {"kind": "blind", "what": what})
    return Mended(f"{what} was not stopped", {"kind": ""})


def _balancer(site: Site, identifier: str, name: str) -> Mended:
    timers.disarm(site, identifier)
    facts = {"load_balancer": identifier, "name": name}
    if balancers.mend(site, identifier):
        return Mended(f"load balancer {name} goes on", {"kind": "lb", **facts})
    return Mended(f"load balancer {name} was not frozen", {"kind": "", **facts})


_ALONE = {API: _api, SLOW_BOOT: _slow_boot}
"""Faults of which there is one."""
