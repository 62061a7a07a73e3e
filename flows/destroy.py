"""
The buttons that take away: one service, or the whole platform.
"""

from __future__ import annotations

from prefect import flow

from flows import stage
from tasks import deployment, sizing
from tasks.result import Result


@flow(name="destroy-service", flow_run_name="destroy {service}", persist_result=False)
def destroy_service(
    service: str,
    platform: str = "",
    really: bool = False,  # noqa: FBT001, FBT002  a tick box of the form
) -> Result:
    """
    Delete everything a service has, its volumes included; nothing that is not ours is touched.

    Args:
        service: A deployed service.
        platform: Its platform; empty: the only one.
        really: Tick to destroy, data included.
    """
    stage.confirmed(really=really, what=f"service {service}")
    with stage.workshop() as workshop:
        registry = workshop.store.registry
        owner = platform or sizing.find(registry, service, None).name
        return stage.watched(
            lambda audience: deployment.destroy(
                workshop, owner, service=service, audience=audience
            ),
            title=f"destroying {service}",
        )


@flow(name="destroy-platform", flow_run_name="destroy {platform}", persist_result=False)
def destroy_platform(
    platform: str,
    really: bool = False,  # noqa: FBT001, FBT002  a tick box of the form
) -> Result:
    """
    Delete everything that carries a platform's mark, its services and volumes included.

    Args:
        platform: The platform's name.
        really: Tick to destroy, data included.
    """
    stage.confirmed(really=really, what=f"platform {platform}")
    with stage.workshop() as workshop:
        return stage.watched(
            lambda audience: deployment.destroy(workshop, platform, audience=audience),
            title=f"destroying {platform}",
        )
