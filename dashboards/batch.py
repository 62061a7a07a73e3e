"""
The board of batch services: whether tasks begin as promised, what waits and runs, and how many workers there are.
"""

from __future__ import annotations

from alerts import conventions as c
from dashboards import service
from dashboards.overview import PLATFORM_VALUES
from dashboards.panel import (
    PLATFORM_VARIABLE,
    SERVICE_VARIABLE,
    Board,
    Kind,
    Panel,
    Query,
    Row,
)

_HERE = service.HERE
BLUEPRINT = "batch"


def board() -> Board:
    """
    Promise, queues, workers.
    """
    services = (
        f"label_values({c.SERVICE_INFO}"
        f'{{{c.PLATFORM}="$platform", blueprint="{BLUEPRINT}"}}, {c.SERVICE})'
    )
    return Board(
        f"fournines-{BLUEPRINT}",
        "Fournines: batch processing",
        "Promise, queues and workers of one batch service.",
        (service.promise(), _starts(), _work()),
        ((PLATFORM_VARIABLE, PLATFORM_VALUES), (SERVICE_VARIABLE, services)),
        blueprint=BLUEPRINT,
    )


def _starts() -> Row:
    return Row(
        "What users get",
        (
            Panel(
                "Tasks begun",
                (
                    Query(
                        f"sum by ({c.PROMISE}) (rate({c.BATCH_STARTED}{{{_HERE}}}[5m]))",
                        f"{{{{{c.PROMISE}}}}}",
                    ),
                ),
                "Tasks per second that began in time, and that were late: their promise was over before.",
                columns=12,
            ),
            Panel(
                "Longest wait",
                (
                    Query(
                        f"max by ({c.QUEUE}) ({c.BATCH_WAITING}{{{_HERE}}})",
                        f"{{{{{c.QUEUE}}}}}",
                    ),
                    Query(f"max({c.BATCH_PROMISE}{{{_HERE}}})", "promise"),
                ),
                "How long the oldest task of each queue has waited that may begin, and what was promised.",
                unit="s",
                columns=12,
            ),
        ),
    )


def _work() -> Row:
    return Row(
        "Queues and workers",
        (
            Panel(
                "Tasks",
                (
                    Query(
                        f"sum by ({c.STATE}) ({c.BATCH_TASKS}{{{_HERE}}})",
                        f"{{{{{c.STATE}}}}}",
                    ),
                ),
                "Tasks that the controller knows, by how they are; those that ended, for half an hour.",
                columns=12,
            ),
            Panel(
                "Workers",
                (
                    Query(
                        f"sum by ({c.STATE}) ({c.BATCH_WORKERS}{{{_HERE}}})",
                        f"{{{{{c.STATE}}}}}",
                    ),
                ),
                "Workers at work, with nothing to do, about to leave, and those that do not answer.",
                columns=8,
            ),
            Panel(
                "Silence",
                (Query(f"max({c.BATCH_SILENT}{{{_HERE}}})"),),
                "Since when Slurm has told its controller nothing.",
                Kind.NUMBER,
                "s",
                columns=4,
            ),
        ),
    )
