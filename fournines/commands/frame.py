"""
What all commands share: output for people or programs, and errors as one sentence with an exit status.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from blueprints.problem import BlueprintError
from fournines import log
from fournines.cloud.errors import (
    CapacityMissing,
    CloudError,
    CloudUnreachable,
    CredentialsRefused,
    FeatureMissing,
    NameTaken,
    QuotaExceeded,
    RightsMissing,
)
from fournines.concealment import concealed
from fournines.model.plain import plain
from fournines.settings import settings
from fournines.store.protocol import LeaseHeld, Store, StoreError
from tasks.workshop import Workshop

FAILED = 1
WRONG = 2
REFUSED = 3
UNREACHABLE = 4
INTERRUPTED = 130

JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (BlueprintError, WRONG),
    (NameTaken, REFUSED),
    (QuotaExceeded, REFUSED),
    (CapacityMissing, REFUSED),
    (FeatureMissing, REFUSED),
    (CloudUnreachable, UNREACHABLE),
    (CredentialsRefused, UNREACHABLE),
    (RightsMissing, UNREACHABLE),
    (CloudError, FAILED),
    (LeaseHeld, REFUSED),
    (StoreError, FAILED),
)

_OWN = frozenset({"blueprints", "fournines", "flows", "tasks", "alerts", "healing"})

_verbose = False


class Stop(Exception):
    """
    A command ends here, with a sentence and an exit status.
    """

    def __init__(self, sentence: str, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code


def set_up(*, verbose: bool) -> None:
    """
    Logging of the command line: warnings, or with `verbose` every event.
    """
    global _verbose  # noqa: PLW0603  one process, one command line
    _verbose = verbose
    log.configure()
    for handler in logging.getLogger("fournines").handlers:
        handler.setLevel(logging.INFO if verbose else logging.ERROR)


def run(app: Callable[..., Any], words: Sequence[str] | None = None) -> int:
    """
    Run the application on these words (or the process' own); the exit status.
    """
    try:
        app(words, standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except KeyboardInterrupt:
        complain("interrupted; run it again to go on where it was")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (`| head`); nothing more can be said to it.
        sys.stderr.close()
        return FAILED
    except Exception as error:  # noqa: BLE001  the top: everything becomes a sentence here
        if _verbose:
            sys.stderr.write(concealed(traceback.format_exc()))
            return code(error)
        complain(sentence(error))
        return code(error)
    return 0


def sentence(error: Exception) -> str:
    """
    An error for people.
    """
    if isinstance(error, ValidationError):
        wrong = error.errors()[0]
        field = ".".join(str(part) for part in wrong["loc"])
        return f"setting FOURNINES_{field.upper()}: {wrong['msg']}"
    ours = type(error).__module__.partition(".")[0] in _OWN
    if ours and not isinstance(error, AssertionError):
        return str(error)
    return (
        f"{type(error).__name__}: {error}. This is a fault of Fournines; "
        "run it again with `fournines --verbose ...` and report what it says"
    )


def code(error: Exception) -> int:
    """
    The exit status of an error. Errors of upper layers say theirs themselves, by an attribute `exit_code`.
    """
    own = getattr(error, "exit_code", None)
    if isinstance(error, Stop):
        return error.code
    if isinstance(own, int):
        return own
    if isinstance(error, ValidationError):
        return WRONG
    return next((number for kind, number in _CODES if isinstance(error, kind)), FAILED)


def say(text: str) -> None:
    """
    A line for people.
    """
    out.print(plain(text), markup=False)


def complain(text: str) -> None:
    """
    A sentence on standard error.
    """
    err.print(f"fournines: {concealed(plain(text))}", markup=False)


def say_json(value: object) -> None:
    """
    A document for programs.
    """
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def table(*columns: str, title: str | None = None) -> Table:
    """
    An empty table in the house's look.
    """
    made = Table(title=title, title_justify="left", header_style="bold", box=None)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def store() -> AbstractContextManager[Store]:
    """
    The store of the settings.
    """
    opened: AbstractContextManager[Store] = load("tasks.opening").store(settings())
    return opened


def workshop() -> AbstractContextManager[Workshop]:
    """
    Cloud, store, clock and eyes of the settings; the OpenStack SDK costs a second.
    """
    opened: AbstractContextManager[Workshop] = load("tasks.opening").workshop(
        settings()
    )
    return opened


def load(module: str) -> Any:
    """
    A module that is expensive to import (Prefect costs seconds), when it is needed.
    """
    return importlib.import_module(module)
