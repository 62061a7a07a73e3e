"""
The button that has another member of a stateful service lead.
"""

from __future__ import annotations

from prefect import flow

from flows import stage
from tasks import switching
from tasks.result import Result


@flow(
    name="switchover",
    flow_run_name="switchover of {service}",
    persist_result=False,
)
def switchover(
    service: str,
    to: str = "",
    platform: str = "",
) -> Result:
    """
    Have another member lead, before somebody works on the one that does. Writes wait for a few seconds; nothing acknowledged is lost.

    Args:
        service: A database or a cache.
        to: A member, by slot; empty: the fittest.
        platform: Its platform; empty: the only one.
    """
    with stage.workshop() as workshop:
        return stage.watched(
            lambda audience: switching.switchover(
                workshop,
                service,
                platform=platform or None,
                to=to or None,
                audience=audience,
            ),
            title=f"switching {service} over",
        )
