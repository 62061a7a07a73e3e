"""
Prefect's own automations, as deployments/automations.yaml has them: made once, kept current by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import yaml

from fournines.settings import ROOT

FILE = ROOT / "deployments" / "automations.yaml"
TIMEOUT_SECONDS = 30
"""One request to a Prefect server that has just started."""


class AutomationsRefused(Exception):
    """
    Prefect did not take an automation; the message has its words.
    """


def apply(prefect_url: str, file: Path = FILE) -> None:
    """
    Create what is missing, and bring what is there up to date.

    Raises:
        AutomationsRefused: Prefect did not answer, or did not want it.
    """
    wanted: list[dict[str, Any]] = yaml.safe_load(file.read_text())["automations"]
    try:
        with httpx.Client(
            base_url=f"{prefect_url}/api/automations",
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        ) as client:
            for one in wanted:
                _apply(client, one)
    except httpx.HTTPError as error:
        raise AutomationsRefused(f"applying {file.name} to Prefect: {error}") from error


def _apply(client: httpx.Client, wanted: dict[str, Any]) -> None:
    named = {"automations": {"name": {"any_": [wanted["name"]]}}}
    found = client.post("/filter", json=named).raise_for_status().json()
    if not found:
        client.post("/", json=wanted).raise_for_status()
        return
    client.put(f"/{found[0]['id']}", json=wanted).raise_for_status()
    for twin in found[1:]:
        client.delete(f"/{twin['id']}").raise_for_status()
