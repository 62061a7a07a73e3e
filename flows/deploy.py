"""
The buttons that make: the whole platform, one service, another size.
"""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from blueprints import platform_file as platform_files
from blueprints.problem import BlueprintError
from flows import stage
from flows.stage import EXAMPLE
from tasks import deployment, request
from tasks.result import Result


def _deploy_name() -> str:
    asked = flow_run.parameters
    if asked.get("service"):
        return f"deploy {asked['service']}"
    file = str(asked.get("platform_file", EXAMPLE))
    try:
        return f"deploy {platform_files.load(stage.path(file)).name}"
    except BlueprintError:
        # The flow itself says what is wrong with the file.
        return f"deploy {file}"


@flow(name="deploy-platform", flow_run_name=_deploy_name, persist_result=False)
def deploy_platform(
    platform_file: str = EXAMPLE,
    force: bool = False,  # noqa: FBT001, FBT002  a form's field
) -> Result:
    """
    Deploy a whole platform: images that are still to be baked, network, load balancers, instances, addresses, until every service serves.

    Args:
        platform_file: platform.yaml, relative to the checkout.
        force: Even while it is healed or burns its budget, or though its only member must go for a while.
    """
    desired = request.read_platform(stage.path(platform_file))
    with stage.workshop() as workshop:
        stage.images_first(workshop, desired, insist=force)
        return stage.watched(
            lambda audience: deployment.deploy(
                workshop, desired, audience=audience, insist=force
            ),
            title=f"deploying {desired.name}",
        )


@flow(name="deploy-service", flow_run_name=_deploy_name, persist_result=False)
def deploy_service(
    service: str,
    platform_file: str = EXAMPLE,
    force: bool = False,  # noqa: FBT001, FBT002  a form's field
) -> Result:
    """
    Deploy one service of a platform, or bring it up to date: changed instances are rolled one after another.

    Args:
        service: A service of the platform.
        platform_file: platform.yaml, relative to the checkout.
        force: Even while it is healed or burns its budget, or though its only member must go for a while.
    """
    desired = request.read_platform(stage.path(platform_file))
    with stage.workshop() as workshop:
        stage.images_first(workshop, desired, service, insist=force)
        return stage.watched(
            lambda audience: deployment.deploy(
                workshop, desired, only=service, audience=audience, insist=force
            ),
            title=f"deploying {service}",
        )


@flow(
    name="scale-service",
    flow_run_name="scale {service} to {count}",
    persist_result=False,
)
def scale_service(
    service: str,
    count: Annotated[int, Field(ge=1, le=1000)],
    platform: str = "",
    group: str = "",
    force: bool = False,  # noqa: FBT001, FBT002  a form's field
) -> Result:
    """
    Give a deployed service another number of instances; those that leave are drained first.

    Args:
        service: A service of the platform.
        count: How many instances there are to be.
        platform: Its platform; empty: the only one.
        group: The group of instances; empty: the only one.
        force: Even while it is healed or burns its budget, or though its only member must go for a while.
    """
    with stage.workshop() as workshop:
        return stage.watched(
            lambda audience: deployment.scale(
                workshop,
                service,
                count,
                platform=platform or None,
                group=group or None,
                audience=audience,
                insist=force,
            ),
            title=f"scaling {service} to {count}",
        )
