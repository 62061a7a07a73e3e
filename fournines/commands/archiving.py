"""
backup, backups, restore, clone, drill: what is kept of a service, and a service with what was kept. Here and now; the buttons do it on a worker.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
import yaml

from blueprints.postgres.repository import Backup, Repository
from fournines.commands import defining, deploying, frame
from fournines.commands.deploying import PlatformOption
from fournines.commands.frame import JsonOption
from tasks import (
    archiving,
    definitions,
    drilling,
    repositories,
    restoring,
    sizing,
    vaults,
)
from tasks.audience import NOBODY
from tasks.restoring import Restored, Wish
from tasks.workshop import Workshop

app = typer.Typer(rich_markup_mode=None)

_AT = "%Y-%m-%d %H:%M:%S"
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
_SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))

ServiceArgument = Annotated[str, typer.Argument(help="A deployed service.")]
NewOption = Annotated[str, typer.Option("--as", help="The service to be made.")]
OverOption = Annotated[
    bool, typer.Option("--over", help="Destroy a service of that name first.")
]
VolumeOption = Annotated[
    int | None, typer.Option("--volume-gb", min=1, help="Of the new members.")
]


@app.command()
def backup(
    service: ServiceArgument,
    *,
    kind: Annotated[
        str, typer.Option(help="full, diff (from the last full) or incr.")
    ] = "diff",
    platform: PlatformOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Take a backup now: of a database (without a full one before, every kind becomes one), or of a bus' definitions.
    """
    if kind not in archiving.KINDS:
        raise frame.Stop(
            f"there is no kind {kind!r}; there are {', '.join(archiving.KINDS)}",
            frame.WRONG,
        )
    with frame.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform)
        if definitions.is_bus(known, service):
            kept = definitions.backup(workshop, known, service)
            defining.say_made(kept, as_json=as_json)
            return
        made = archiving.backup(
            workshop,
            known,
            service,
            kind,
            tell=_quiet if as_json else frame.say,
        )
    if as_json:
        frame.say_json(made.model_dump(mode="json"))
        return
    took = (made.ended_at - made.begun_at).total_seconds()
    frame.say(
        f"{made.label}: {made.kind}, {_size(made.size_bytes)}, {_size(made.stored_bytes)} stored, {took:.0f} s"
    )


@app.command()
def backups(
    service: Annotated[
        str, typer.Argument(help="A service; with --platform, one that is no more.")
    ],
    *,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="Delete all that is kept of a service that is no more."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    platform: PlatformOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    What is kept of a service: its backups, and how far its log reaches.
    """
    with frame.workshop() as workshop:
        name = _platform_of(workshop, service, platform, living=not forget)
        if forget:
            _forget(workshop, name, service, yes=yes)
            return
        of_bus = definitions.read(workshop, name, service)
        kept = repositories.read(workshop, name, service)
    if of_bus:
        defining.show(of_bus, kept.at, as_json=as_json)
        return
    if as_json:
        frame.say_json(kept.model_dump(mode="json"))
        return
    table = frame.table("backup", "type", "ended (UTC)", "age", "size", "stored", "log")
    for one in kept.backups:
        table.add_row(*_row(one, kept.at))
    frame.out.print(table)
    frame.say(_log_line(service, kept))


def _platform_of(
    workshop: Workshop, service: str, platform: str | None, *, living: bool
) -> str:
    """
    The platform of a service that is deployed, or was and left backups.
    """
    if platform is not None:
        known = workshop.store.registry.platform(platform)
        deployed = known is not None and service in {s.name for s in known.services}
        left = vaults.is_known(workshop, platform, service)
        if deployed and not living:
            raise frame.Stop(
                f"{service} is deployed and goes on writing; destroy it first",
                frame.REFUSED,
            )
        if left and not deployed:
            return platform
    elif not living:
        raise frame.Stop("say whose: --platform NAME", frame.WRONG)
    found = sizing.find(workshop.store.registry, service, platform)
    if definitions.is_bus(found, service):
        definitions.wanted(found.service(service))
    else:
        archiving.wanted(found, service)
    return found.name


def _forget(workshop: Workshop, platform: str, service: str, *, yes: bool) -> None:
    what = f"Delete every backup of {service} of platform {platform}, for ever?"
    if not yes and not typer.confirm(what, err=True):
        raise frame.Stop("nothing was touched; say --yes to delete", frame.WRONG)
    vaults.destroy(workshop, platform, service)
    frame.say(f"nothing is kept of {service} any more")


def _row(one: Backup, now: datetime) -> tuple[str, ...]:
    return (
        one.label + (" (bad pages)" if one.failed else ""),
        one.kind,
        one.ended_at.strftime(_AT),
        _age(one.ended_at, now),
        _size(one.size_bytes),
        _size(one.stored_bytes),
        f"{one.log_from} - {one.log_to}",
    )


def _log_line(service: str, kept: Repository) -> str:
    if kept.log_at is None:
        return (
            f"nothing is kept of {service} yet; take it now: fournines backup {service}"
        )
    locked = (
        f"the store keeps every object for {kept.locked_days} days"
        if kept.locked_days
        else "the store lets objects be deleted (no object lock)"
    )
    return f"the log is kept up to {kept.log_newest}, {_age(kept.log_at, kept.at)} ago; {locked}"


@app.command()
def restore(
    service: ServiceArgument,
    *,
    new: NewOption,
    to: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"],
            help="The moment, UTC; as late as can be by default.",
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--backup", help="Begin with this one.")
    ] = None,
    over: OverOption = False,
    volume_gb: VolumeOption = None,
    platform: PlatformOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Have a new service with the data of another as it was at a moment; of a bus: have a bus (itself, too) make what it lacks of the definitions kept.
    """
    at = to.replace(tzinfo=UTC) if to else None
    with frame.store() as store:
        known = sizing.find(store.registry, service, platform)
    if definitions.is_bus(known, service):
        defining.bring_back(known, service, new, at, label, as_json=as_json)
        return
    _made(Wish(service, new, at, label, volume_gb, over), platform, as_json=as_json)


@app.command()
def clone(
    service: ServiceArgument,
    *,
    new: NewOption,
    over: OverOption = False,
    volume_gb: VolumeOption = None,
    platform: PlatformOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Have a new service with the data of another as it is now.
    """
    wish = Wish(service, new, volume_gb=volume_gb, over=over)
    _made(wish, platform, as_json=as_json)


@app.command()
def drill(
    service: ServiceArgument,
    *,
    platform: PlatformOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Bring the newest backup and one of the others back where nobody reaches them, compare, and destroy them again.
    """
    with frame.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform)
        done = drilling.drill(
            workshop, known, service, tell=_quiet if as_json else frame.say
        )
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in done])
    for one in () if as_json else done:
        (frame.say if one.ok else frame.complain)(one.sentence())
    if not all(one.ok for one in done):
        raise typer.Exit(frame.FAILED)


def _made(wish: Wish, platform: str | None, *, as_json: bool) -> None:
    with frame.workshop() as workshop:
        known = sizing.find(workshop.store.registry, wish.service, platform)
        done = restoring.restore(
            workshop,
            known,
            wish,
            audience=NOBODY if as_json else deploying.spectators(as_json=False),
            tell=_quiet if as_json else frame.say,
        )
    if as_json:
        frame.say_json(
            {
                "ok": done.result.ok,
                "backup": done.backup.label,
                "seconds": done.seconds,
                "entry": {wish.new: done.entry},
                "sentence": done.result.sentence(),
            }
        )
    else:
        _say(wish, done)
    if not done.result.ok:
        raise typer.Exit(frame.FAILED)


def _say(wish: Wish, done: Restored) -> None:
    if not done.result.ok:
        frame.complain(done.result.sentence())
        return
    frame.say(f"{wish.new} serves after {done.seconds:.0f} s.")
    frame.say(
        "A deploy of the whole platform file would take it away again until the file names it:"
    )
    frame.say(yaml.safe_dump({wish.new: done.entry}, sort_keys=False))


def _quiet(_line: str) -> None:
    """
    Programs read the end.
    """


def _age(at: datetime, now: datetime) -> str:
    seconds = max((now - at).total_seconds(), 0)
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _size(number: float) -> str:
    for unit, length in _SIZES:
        if number >= length:
            return f"{number / length:.1f} {unit}"
    return f"{number:.0f} B"
