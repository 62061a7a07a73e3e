"""
What stories of flows need: a Prefect API.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fournines import concealment


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """
    A Prefect server of its own; it costs half a minute, so it is imported here.
    """
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=240):
        yield


@pytest.fixture
def nothing_concealed():
    """
    No secret of another test is masked in this one, nor one of this in the next.
    """
    concealment.forget()
    yield
    concealment.forget()
