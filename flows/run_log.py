"""
Our events in the Prefect UI: the logger `fournines` also writes to Prefect's API handler while a flow runs.
"""

from __future__ import annotations

import logging

import structlog
from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging.handlers import APILogHandler

from fournines import log

_ROOT = "fournines"


def attach() -> None:
    """
    Hand our events to Prefect; once per process, however often it is called.
    """
    log.conceal_records()
    root = logging.getLogger(_ROOT)
    if not root.handlers:
        log.configure()
    if any(isinstance(handler, APILogHandler) for handler in root.handlers):
        return
    handler = APILogHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=log.SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # The UI shows time and level beside each line already.
                _without("timestamp", "level"),
                structlog.dev.ConsoleRenderer(colors=False),
            ],
        )
    )
    handler.addFilter(_within_a_run)
    root.addHandler(handler)


def _within_a_run(_record: logging.LogRecord) -> bool:
    """
    The same process also works outside of runs; those events have no page in the UI.
    """
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def _without(*keys: str) -> structlog.typing.Processor:
    def drop(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        return {key: value for key, value in event.items() if key not in keys}

    return drop
