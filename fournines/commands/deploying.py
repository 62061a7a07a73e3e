"""
deploy, scale, destroy, reconcile. When Prefect answers, the flow runs, so that it stands in the UI; otherwise the same body runs without it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from fournines.commands import asking, frame
from fournines.commands.asking import DEFAULT_FILE, FileArgument, ServiceOption
from fournines.commands.frame import JsonOption
from fournines.local import programs
from fournines.planning.plan import Plan
from fournines.settings import Settings, settings
from healing.prediction import Prediction
from tasks import (
    deployment,
    furnishing,
    reconciliation,
    request,
    sizing,
    switching,
)
from tasks.audience import Audience
from tasks.outcome import Progress
from tasks.result import NotDone, Result
from tasks.workshop import Workshop

app = typer.Typer(rich_markup_mode=None)

PREFECT_ANSWER_SECONDS = 2.0
"""A server that takes longer than this for its health page would slow every step."""

PlainOption = Annotated[
    bool, typer.Option("--plain", help="Without Prefect, even when it answers.")
]
PlatformOption = Annotated[
    str | None, typer.Option("--platform", help="Needed when several are deployed.")
]


ForceOption = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Even while it is healed or burns its budget, or though its only member must go for a while.",
    ),
]


@app.command()
def deploy(
    file: FileArgument = DEFAULT_FILE,
    *,
    service: ServiceOption = None,
    force: ForceOption = False,
    plain: PlainOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Deploy a platform, or one service of it; images that nobody has baked yet are baked first. An unchanged one is left as it is.
    """
    desired = request.read_platform(file)
    sizing.check_known(desired, service)
    path = str(file.absolute())
    asked: dict[str, Any] = {"platform_file": path, "force": force}
    asked |= {"service": service} if service else {}
    flow = "deploy:deploy_service" if service else "deploy:deploy_platform"

    def body(workshop: Workshop, audience: Audience) -> Result:
        furnishing.images_first(
            workshop, desired, only=service, insist=force, tell=audience.tell
        )
        return deployment.deploy(
            workshop, desired, only=service, audience=audience, insist=force
        )

    result = _act(flow, asked, body, plain=plain, as_json=as_json)
    _end(result, as_json=as_json)


@app.command()
def scale(
    service: Annotated[str, typer.Argument(help="A deployed service.")],
    count: Annotated[int, typer.Argument(min=1, help="Instances.")],
    *,
    platform: PlatformOption = None,
    group: Annotated[
        str | None, typer.Option(help="Needed when there are several.")
    ] = None,
    force: ForceOption = False,
    plain: PlainOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Give a deployed service another number of instances; those that leave are drained first.
    """

    def body(workshop: Workshop, audience: Audience) -> Result:
        return deployment.scale(
            workshop,
            service,
            count,
            platform=platform,
            group=group,
            audience=audience,
            insist=force,
        )

    asked = {
        "service": service,
        "count": count,
        "platform": platform or "",
        "group": group or "",
        "force": force,
    }
    result = _act("deploy:scale_service", asked, body, plain=plain, as_json=as_json)
    _end(result, as_json=as_json)


@app.command()
def switchover(
    service: Annotated[str, typer.Argument(help="A database or a cache.")],
    *,
    to: Annotated[
        str | None,
        typer.Option(help="The member that is to lead, by slot; the fittest."),
    ] = None,
    platform: PlatformOption = None,
    plain: PlainOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Have another member of a stateful service lead. Nothing that was acknowledged is lost.
    """

    def body(workshop: Workshop, audience: Audience) -> Result:
        return switching.switchover(
            workshop, service, platform=platform, to=to, audience=audience
        )

    asked = {"service": service, "to": to or "", "platform": platform or ""}
    flow = "switchover:switchover"
    result = _act(flow, asked, body, plain=plain, as_json=as_json)
    _end(result, as_json=as_json)


@app.command()
def destroy(
    target: Annotated[
        str | None,
        typer.Argument(help="A service, or a platform file; the platform by default."),
    ] = None,
    *,
    platform: PlatformOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    plain: PlainOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Delete a service or a whole platform, volumes included; nothing that is not ours is touched.
    """
    name, service = _target(target, platform)
    what = f"service {service} of platform {name}" if service else f"platform {name}"
    if not yes and not typer.confirm(f"Destroy {what} with its data?", err=True):
        raise frame.Stop("nothing was touched; say --yes to destroy", frame.WRONG)

    def body(workshop: Workshop, audience: Audience) -> Result:
        return deployment.destroy(workshop, name, service=service, audience=audience)

    asked = {"platform": name, "really": True}
    asked |= {"service": service} if service else {}
    flow = "destroy:destroy_service" if service else "destroy:destroy_platform"
    result = _act(flow, asked, body, plain=plain, as_json=as_json)
    _end(result, as_json=as_json)


@app.command()
def reconcile(
    platform: Annotated[str | None, typer.Argument(help="All by default.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """
    Bring what is deployed back to what was asked for.
    """
    with frame.workshop() as workshop:
        found = reconciliation.reconcile(
            workshop, platform=platform, audience=spectators(as_json=as_json)
        )
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
    else:
        for one in found:
            frame.say(one.sentence())
        if not found:
            frame.say("nothing is deployed; begin with: fournines deploy")
    if not all(one.ok for one in found):
        raise typer.Exit(frame.FAILED)


def prefect_answers(chosen: Settings) -> bool:
    """
    Whether Prefect's server is there and well.
    """
    try:
        url = f"{chosen.url('prefect')}/api/health"
        answer = httpx.get(url, timeout=PREFECT_ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _act(
    flow: str,
    asked: dict[str, Any],
    body: Callable[[Workshop, Audience], Result],
    *,
    plain: bool,
    as_json: bool,
) -> Result:
    chosen = settings()
    if plain or not prefect_answers(chosen):
        try:
            with frame.workshop() as workshop:
                return body(workshop, spectators(as_json=as_json))
        except NotDone as error:
            return error.result
    for name, value in programs.environment(chosen).items():
        os.environ.setdefault(name, value)
    # The terminal has our own lines; Prefect's go to its UI.
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    stage = frame.load("flows.stage")
    module, _, function = flow.partition(":")
    run = getattr(frame.load(f"flows.{module}"), function)
    stage.spectator.set(spectators(as_json=as_json))
    try:
        result: Result = run(**asked)
    except NotDone as error:
        return error.result
    return result


def spectators(*, as_json: bool) -> Audience:
    """
    The terminal: plan and progress, or nothing where a program reads.
    """
    if as_json:
        return Audience()

    def show(made: Plan, predicted: Prediction | None) -> None:
        asking.show_plan(made, made.refusals, predicted)

    return Audience(show=show, watch=_watch, tell=frame.say)


def _watch(progress: Progress) -> None:
    if progress.state == "begun":
        return
    what = progress.step.replace("/", " ", 1)
    count = f"[{progress.done}/{progress.total}]"
    line = f"{count:>8} {progress.state:<7} {what}"
    if progress.seconds:
        line += f" ({progress.seconds:.1f} s)"
    if progress.error:
        line += f": {progress.error}"
    frame.say(line)


def _end(result: Result, *, as_json: bool) -> None:
    if as_json:
        frame.say_json(
            {
                "ok": result.ok,
                "sentence": result.sentence(),
                "plan": result.plan.id,
                "outcome": result.outcome and result.outcome.model_dump(mode="json"),
                "prediction": result.prediction
                and result.prediction.model_dump(mode="json"),
                "refusals": [r.model_dump(mode="json") for r in result.refusals],
            }
        )
    elif result.ok:
        frame.say(result.sentence())
    else:
        frame.complain(result.sentence())
    if not result.ok:
        failed = result.outcome is not None and not result.outcome.ok
        raise typer.Exit(frame.FAILED if failed else frame.REFUSED)


def _target(target: str | None, platform: str | None) -> tuple[str, str | None]:
    if target is not None and (target.endswith((".yaml", ".yml")) or "/" in target):
        return request.read_platform(Path(target)).name, None
    with frame.store() as store:
        if platform is not None and target is None:
            return platform, None
        return sizing.find(store.registry, target, platform).name, target
