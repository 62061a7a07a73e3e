"""
The kinds of fault that concern more than one instance, each a command of `break`.
"""

from __future__ import annotations

import click

from fournines_sandbox.faults import (
    api,
    balancers,
    hosts,
    mending,
    names,
    outages,
    standing,
    timers,
)
from fournines_sandbox.faults.options import Words, as_json_option, for_option, say
from fournines_sandbox.faults.problem import FaultError
from fournines_sandbox.faults.standing import API, IMAGE, SLOW_BOOT, Standing
from fournines_sandbox.site import SERVICES, Site


@click.command(name="host-down", short_help="HOST, or the host of an instance, loses its power")
@click.argument("target", metavar="HOST|INSTANCE")
@for_option
@as_json_option
@click.pass_obj
def host_down(site: Site, target: str, for_: float | None, as_json: bool) -> None:
    """
    HOST, or the host of an instance, loses its power.

    All its instances die, its compute service falls silent, and Nova calls it down half a minute later.
    """
    try:
        (host,) = hosts.hosts_of(target)
    except (FaultError, ValueError):
        host = mending.instance(site, target)[1].host
    died = hosts.take_down(site, [host])
    _armed(site, host, for_)
    sentence = f"host {host} is down, and {died} instances with it"
    say(as_json, sentence, kind="host-down", hosts=[host], instances=died)


@click.command(name="zone-down", short_help="every host of ZONE loses its power")
@click.argument("zone")
@for_option
@as_json_option
@click.pass_obj
def zone_down(site: Site, zone: str, for_: float | None, as_json: bool) -> None:
    """
    Every host of ZONE loses its power.
    """
    down = hosts.hosts_of(zone)
    if down == [zone]:
        raise FaultError(f"{zone} is a host; say `break host-down {zone}`, or name its zone")
    died = hosts.take_down(site, down)
    _armed(site, zone, for_)
    sentence = f"zone {zone} is down ({', '.join(down)}), and {died} instances with it"
    say(as_json, sentence, kind="zone-down", hosts=down, instances=died)


_API_KINDS = "\n".join(f"  {name:<15}{meaning}" for name, meaning in api.KINDS.items())


@click.command(
    name="api",
    short_help="some calls of OpenStack's APIs fail",
    help=f"Some calls of OpenStack's APIs fail.\n\n\b\nKINDS:\n{_API_KINDS}",
)
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=0.2, show_default=True)
@click.option("--kinds", type=Words(tuple(api.KINDS)), default="all", show_default=True)
@click.option("--services", type=Words(SERVICES), default="all", show_default=True)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same luck."
)
@click.option(
    "--hold",
    type=click.FloatRange(0, 120),
    default=5.0,
    show_default=True,
    help="Seconds until timeout-after answers.",
)
@click.option(
    "--stale",
    type=click.FloatRange(0, 300),
    default=10.0,
    show_default=True,
    help="Age of stale answers at most, in seconds.",
)
@click.option("--everyone", is_flag=True, help="The services' calls among themselves, too.")
@for_option
@as_json_option
@click.pass_obj
def api_(
    site: Site,
    rate: float,
    kinds: list[str],
    services: list[str],
    seed: int,
    hold: float,
    stale: float,
    everyone: bool,
    for_: float | None,
    as_json: bool,
) -> None:
    """
    Some calls of OpenStack's APIs fail.
    """
    for file in standing.directory(site).glob("api-*.counts"):
        file.unlink()
    facts = {
        "rate": rate,
        "kinds": kinds,
        "services": services,
        "seed": seed,
        "hold_seconds": hold,
        "stale_seconds": stale,
        "everyone": everyone,
    }
    Standing(API, facts=facts).save(site)
    _armed(site, API, for_)
    sentence = f"{rate:.0%} of the calls of {', '.join(services)} fail: {', '.join(kinds)}"
    say(as_json, sentence, kind=API, **facts)


@click.command(short_help="a server that others rely on stops answering")
@click.argument("what", type=click.Choice(list(outages.PROCESSES)))
@for_option
@as_json_option
@click.pass_obj
def blind(site: Site, what: str, for_: float | None, as_json: bool) -> None:
    """
    A server that others rely on is stopped.
    """
    outages.strike(site, what)
    _armed(site, what, for_)
    say(as_json, outages.MEANINGS[what], kind="blind", what=what)


@click.command(short_help="the process of load balancer NAME is killed or frozen")
@click.argument("name")
@click.option(
    "--how",
    type=click.Choice(balancers.HOW),
    default="killed",
    show_default=True,
    help="A killed one is started again within seconds; a frozen one stays until mended or failed over.",
)
@for_option
@as_json_option
@click.pass_obj
def lb(site: Site, name: str, how: str, for_: float | None, as_json: bool) -> None:
    """
    The process behind load balancer NAME is killed or frozen.
    """
    found = names.find(site, "load balancer", name)
    balancers.strike(site, found.id, how)
    _armed(site, found.id, for_)
    sentence = f"the process of load balancer {found.name} is {how}"
    say(as_json, sentence, kind="lb", load_balancer=found.id, name=found.name)


@click.command(name="slow-boot", short_help="new instances boot late")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=30.0,
    show_default=True,
    help="How late.",
)
@for_option
@as_json_option
@click.pass_obj
def slow_boot(site: Site, seconds: float, for_: float | None, as_json: bool) -> None:
    """
    New instances take so many seconds longer to boot; Nova calls them ACTIVE meanwhile.
    """
    Standing(SLOW_BOOT, facts={"seconds": seconds}).save(site)
    _armed(site, SLOW_BOOT, for_)
    say(as_json, f"new instances boot {seconds:g} s late", kind=SLOW_BOOT, seconds=seconds)


@click.command(name="bad-image", short_help="new instances of IMAGE start and never serve")
@click.argument("image")
@for_option
@as_json_option
@click.pass_obj
def bad_image(site: Site, image: str, for_: float | None, as_json: bool) -> None:
    """
    New instances of IMAGE start, answer on the network, and never serve.

    Mended, the image is good again; instances made of it meanwhile stay bad.
    """
    found = names.find(site, "image", image)
    Standing(IMAGE, found.id, found.name).save(site)
    _armed(site, found.id, for_)
    sentence = f"new instances of image {found.name} start and never serve"
    say(as_json, sentence, kind="bad-image", image=found.id, name=found.name)


def _armed(site: Site, target: str, seconds: float | None) -> None:
    timers.disarm(site, target)
    if seconds:
        timers.arm(site, target, seconds)


WIDE = (host_down, zone_down, api_, blind, lb, slow_boot, bad_image)
