"""
Logging: one structlog event per decision and per step, case/service/plan bound once.

People get a console, machines get JSON lines. Inside a Prefect flow the same events also reach the Prefect UI, because they go through
the standard library's logger `fournines`, which flows hand to Prefect's API handler (flows/run_log.py). Anything whose key looks
like a secret is masked before it is rendered.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from fournines.concealment import concealed
from fournines.model.plain import plain

_SECRET_KEYS = ("password", "secret", "token", "credential", "authorization")


def mask_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """
    Replace the value of every key that looks like a secret.
    """
    for key in event:
        if any(word in key.lower() for word in _SECRET_KEYS):
            event[key] = "***"
    return event


def hide_unseen(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """
    Texts from outside stand in events too: neither a terminal escape nor a secret may come out of a log.
    """
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = concealed(plain(value))
    return event


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    mask_secrets,
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    hide_unseen,
]


def configure(*, stream: TextIO | None = None, as_json: bool | None = None) -> None:
    """
    Set logging up for this process. `as_json` None: JSON unless `stream` is a terminal.
    """
    conceal_records()
    out = stream or sys.stderr
    machine = not out.isatty() if as_json is None else as_json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if machine
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    root = logging.getLogger("fournines")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False


def conceal_records() -> None:
    """
    Mask secrets in every record of this process, whoever writes it, tracebacks included: Prefect keeps those of failed runs, and the chain
    of an error leads back to what a library said.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "conceals", False):
        return

    def concealing(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if isinstance(record.msg, str):
            # Arguments that do not fit are the writer's mistake, and the handler's to tell.
            with contextlib.suppress(TypeError, ValueError):
                said = record.getMessage()
                if concealed(said) != said:
                    record.msg, record.args = concealed(said), ()
        if record.exc_info and record.exc_info[0] is not None:
            told = "".join(traceback.format_exception(*record.exc_info))
            if concealed(told) != told:
                record.exc_info, record.exc_text = None, concealed(told).rstrip()
        return record

    concealing.conceals = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(concealing)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """
    A logger below `fournines`.
    """
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(f"fournines.{name}")
    return logger
