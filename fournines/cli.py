"""
The command line: everything the run buttons do, and a look at what is, without the UI.

Commands live in fournines/commands and are imported when they are called, because Prefect and the OpenStack SDK cost seconds. Exit
status: 0 done, 1 failed, 2 wrong input or usage, 3 refused (quota, lease, name taken, brake), 4 the cloud does not answer or does not
know us, 130 interrupted.
"""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

_GROUPS = frozenset({"healing", "cloud", "token", "image", "batch"})

_COMMANDS = {
    "up": ("running", "Start everything local: cloud, Prefect, Prometheus, healer."),
    "down": ("running", "Stop everything local; its state stays."),
    "logs": ("running", "Show the logs of what runs locally."),
    "cloud": ("embedded", "The embedded OpenStack: up, down, status, reset."),
    "doctor": ("examining", "Check a cloud before use."),
    "catalog": ("asking", "List the blueprints, or show one with its parameters."),
    "validate": ("asking", "Check a platform file without asking the cloud."),
    "plan": ("asking", "Say what a deploy would do; touches nothing."),
    "deploy": ("deploying", "Deploy a platform, or one service of it."),
    "scale": ("deploying", "Give a service another number of instances."),
    "switchover": ("deploying", "Have another member of a service lead."),
    "destroy": ("deploying", "Delete a service or a platform, data included."),
    "reconcile": ("deploying", "Bring what is deployed back to what was asked for."),
    "status": ("looking", "What is deployed, and how it is."),
    "slo": ("promising", "What was promised, and what is left of each budget."),
    "backup": ("archiving", "Take a backup of a service now."),
    "backups": ("archiving", "What is kept of a service: backups and log."),
    "restore": ("archiving", "A new service with another's data as it was."),
    "clone": ("archiving", "A new service with another's data as it is."),
    "drill": ("archiving", "Try a restore where nobody reaches it."),
    "credentials": ("entrusting", "A service's credentials: once, then rotated."),
    "rotate": ("entrusting", "New credentials for a service and its users."),
    "graph": ("drawing", "What a service stands on, as text or as a picture."),
    "cases": ("casework", "Healing cases, newest first."),
    "case": ("casework", "One healing case: why, evidence, plan, steps, verdict."),
    "heal": ("consulting", "What the healer would do now, and why not."),
    "healing": ("switching", "The master switch of healing: on, off, status."),
    "token": ("rotating", "The healer's bearer token: rotate, retire, status."),
    "pause": (
        "restraining",
        "Keep healing's hands off a service, a slot, an instance.",
    ),
    "unpause": ("restraining", "Let what is paused be healed again."),
    "bake": ("baking", "Bake images from their recipes, and make them current."),
    "image": ("releasing", "Images: list; builds in quarantine: release."),
    "batch": ("batching", "Jobs of batch services: submit, list, logs, cancel."),
    "approve": ("approving", "Let a case's plan be performed that cannot be undone."),
    "reject": ("approving", "Forbid it."),
    "break": ("breaking", "Break something below OpenStack: it is not told."),
    "mend": ("breaking", "Mend what was broken."),
    "demo": ("demonstrating", "The whole story: deploy, load, break, heal, report."),
    "load": ("demonstrating", "Send requests to a URL of this machine."),
    "generate": ("generating", "Write alert rules and dashboards anew."),
    "healer": ("serving", "Run the healer (what `up` does in the background)."),
}
"""Name -> module in fournines.commands, and its line in the overview."""


class LazyCommands(TyperGroup):
    """
    Commands, each imported when it is called.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  the library's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  the library's signature
        found = _COMMANDS.get(cmd_name)
        if found is None:
            return None
        module = _module(found[0])
        group = typer.main.get_group(module.app)
        return group if cmd_name in _GROUPS else group.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  the library's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Events and tracebacks.")
    ] = False,
) -> None:
    """
    Fournines: an OpenStack cloud as a highly available platform that heals itself.
    """
    _module("frame").set_up(verbose=verbose)


def main() -> None:
    """
    Run the command line; what a person did wrong is one sentence, never a traceback.
    """
    if sys.argv[1:2] in (["break"], ["mend"]):
        # Without the frame: the first second of a fault counts.
        sys.exit(_module("breaking").run(sys.argv[1:]))
    sys.exit(_module("frame").run(app))


def _module(name: str) -> Any:
    return importlib.import_module(f"fournines.commands.{name}")


if __name__ == "__main__":
    main()
