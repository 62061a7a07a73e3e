"""
The buttons that bring data back: as it was at a moment, or as it is.
"""

from __future__ import annotations

from datetime import datetime

import yaml
from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows import stage
from tasks import artifacts, definitions, restoring, sizing
from tasks.audience import Audience
from tasks.restoring import Restored, Wish
from tasks.result import Result


@flow(name="restore", flow_run_name="restore {service} as {new}", persist_result=False)
def restore(  # noqa: PLR0917  a form's fields
    service: str,
    new: str,
    to: datetime | None = None,
    backup: str = "",
    over: bool = False,  # noqa: FBT001, FBT002  a form's field
    platform: str = "",
) -> Result | str:
    """
    Have a new service with the data of another as it was at a moment; of a bus: have a bus make what it lacks of the definitions kept.

    Args:
        service: A deployed service, or one that was.
        new: The service to be made; a bus that is deployed.
        to: The moment to go back to; empty: as late as can be.
        backup: Which backup, by its label; empty: the newest before that moment.
        over: Destroy a service of that name, with its data, first.
        platform: Its platform; empty: the only one.
    """
    with stage.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform or None)
        if definitions.is_bus(known, service):
            label = backup or None
            done = definitions.restore(
                workshop, known, service, new, to=to, label=label
            )
            said = done.sentence()
            create_markdown_artifact(markdown=said, key=artifacts.key("restored", new))
            return said
    return _made(Wish(service, new, to, backup or None, over=over), platform)


@flow(name="clone", flow_run_name="clone {service} as {new}", persist_result=False)
def clone(
    service: str,
    new: str,
    over: bool = False,  # noqa: FBT001, FBT002  a form's field
    platform: str = "",
) -> Result:
    """
    Have a new service with the data of another as it is now.

    Args:
        service: A deployed service, or one that was.
        new: The service to be made; a bus that is deployed.
        over: Destroy a service of that name, with its data, first.
        platform: Its platform; empty: the only one.
    """
    return _made(Wish(service, new, over=over), platform)


def _made(wish: Wish, platform: str) -> Result:
    done: list[Restored] = []
    with stage.workshop() as workshop:
        known = sizing.find(workshop.store.registry, wish.service, platform or None)

        def act(audience: Audience) -> Result:
            done.append(restoring.restore(workshop, known, wish, audience=audience))
            return done[0].result

        result = stage.watched(act, title=f"restoring {wish.service} as {wish.new}")
    entry = yaml.safe_dump({wish.new: done[0].entry}, sort_keys=False)
    create_markdown_artifact(
        markdown=f"{wish.new} serves after {done[0].seconds:.0f} s, from backup {done[0].backup.label}. A deploy of the whole "
        f"platform file would take it away again until the file names it:\n\n```yaml\n{entry}```\n",
        key=artifacts.key("restored", wish.new),
    )
    return result
