"""
Quiet logs: thousands of deploys are told by their ends.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from fournines import log


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """
    Events go nowhere while this module's tests run.
    """
    log.configure(stream=io.StringIO())
    logging.getLogger("fournines").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("fournines").setLevel(logging.INFO)
    structlog.reset_defaults()
