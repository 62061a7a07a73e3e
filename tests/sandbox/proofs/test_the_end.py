"""
After all the proofs: the platform is destroyed, and nothing of it is left. Its name puts it last in this folder.
"""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.sandbox, pytest.mark.full]


def test_nothing_is_left(stage: Any) -> None:
    """
    What was killed, rebuilt and scaled so often is destroyed to the last resource.
    """
    stage.take_away()

    left = stage.inventory()
    assert [
        *left.instances,
        *left.load_balancers,
        *left.networks,
        *left.security_groups,
        *left.server_groups,
        *left.floating_ips,
        *left.volumes,
    ] == []
