"""
Quiet logs: a simulation is told by its trace.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """
    Events go nowhere while this module's tests run.
    """
    futures = logging.getLogger("concurrent.futures")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    futures.setLevel(logging.CRITICAL + 1)
    yield
    futures.setLevel(logging.NOTSET)
    structlog.reset_defaults()
