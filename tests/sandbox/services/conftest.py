"""
Platform services on the embedded cloud, each a platform of its own that is destroyed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.sandbox.services.bus_and_cache import Deployed, deploying


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
    with deploying(member, tmp_path) as deploy:
        yield deploy
