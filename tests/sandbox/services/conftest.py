"""
Platform services on the embedded cloud, each a platform of its own that is destroyed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from fournines.settings import Settings
from tasks import opening
from tests.sandbox.services.bus_and_cache import Deployed
from tests.sandbox.services.command import fournines


@pytest.fixture(scope="session", autouse=True)
def _its_cloud(cloud) -> Iterator[None]:
    """
    Commands and operators find the cloud of these tests, whatever lies in the checkout.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOURNINES_CLOUDS_FILE", str(cloud.clouds_file))
        yield


@pytest.fixture
def deployed(cloud, member, tmp_path) -> Iterator[Callable[..., Deployed]]:
    """
    Deploys one service from a template, whose image is baked if the cloud has none.
    """
    platforms: list[str] = []
    with opening.workshop(Settings()) as workshop:

        def deploy(
            blueprint: str, name: str, flavor: str, **parameters: object
        ) -> Deployed:
            platform = f"proof-{blueprint}"
            if member.image.find_image(blueprint) is None:
                fournines("bake", blueprint)
            file: Path = tmp_path / "platform.yaml"
            service = {
                "blueprint": blueprint,
                "parameters": {"flavor": flavor, **parameters},
            }
            file.write_text(
                yaml.safe_dump({"platform": platform, "services": {name: service}})
            )
            platforms.append(platform)
            fournines("deploy", str(file), "--plain")
            return Deployed(workshop, platform, name, file)

        yield deploy
    for platform in platforms:
        fournines("destroy", "--platform", platform, "--yes", "--plain")
