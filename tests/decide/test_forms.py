"""
Run forms explain themselves: every field of every button says what it is for. Prefect takes that from the flow's docstring alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

ROOT = Path(__file__).resolve().parents[2]
BUTTONS = {
    one["name"]: one["entrypoint"]
    for one in yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())[
        "deployments"
    ]
}


def fields(button: str) -> dict[str, dict]:
    """
    A form's fields, as the deployment hands them to the server.
    """
    return parameter_schema(load_flow_from_entrypoint(BUTTONS[button])).properties


@pytest.mark.parametrize("button", BUTTONS)
def test_a_field_says_what_it_is_for(button):
    """
    None is left to be guessed from its name.
    """
    silent = [
        name for name, one in fields(button).items() if not one.get("description")
    ]

    assert not silent


def test_a_batch_job_is_explained():
    """
    Word for word, for one form; what is checked of a field stays checked.
    """
    told = {name: one["description"] for name, one in fields("run-batch-job").items()}

    assert told == {
        "job_file": "A file of jobs, relative to the checkout.",
        "service": "The batch service; empty: the only one.",
        "platform": "Its platform; empty: the only one.",
        "again": "Any word: the same jobs are run once more, which are otherwise only followed.",
    }
    assert fields("scale-service")["count"]["minimum"] == 1
