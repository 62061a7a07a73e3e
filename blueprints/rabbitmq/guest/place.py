"""
Who this node of a message bus is, and how it asks the others. Python's standard library alone.
"""

# ruff: noqa: INP001, T201  an instance runs this file by itself, and what it prints is its log

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import ssl
import subprocess
from typing import Any

CONFIG = pathlib.Path(os.environ.get("BUS_CONFIG", "/etc/bus/member.json"))
USER = "fournines"
MANAGEMENT_PORT = 15671
ASK_SECONDS = 3.0
COMMAND_SECONDS = 100


class Member:
    """
    This member's place among the others, as its configuration says.
    """

    def __init__(self) -> None:
        known = json.loads(CONFIG.read_text())
        self.address: str = known["address"]
        self.seeds: list[str] = known["seeds"]
        self.health_port: int = known["health_port"]
        self.home = pathlib.Path(known["home"])
        self.data = pathlib.Path(known["data"])
        self.password = pathlib.Path(known["password_file"]).read_text().strip()
        self.tls = {
            key: known[key] for key in ("ca_file", "certificate_file", "key_file")
        }
        self.context = ssl.create_default_context(cafile=self.tls["ca_file"])

    @property
    def node(self) -> str:
        """What RabbitMQ calls it."""
        return node(self.address)

    @property
    def peers(self) -> list[str]:
        """The first members, but for itself."""
        return [seed for seed in self.seeds if seed != self.address]

    @property
    def has_data(self) -> bool:
        """Whether it was a member once."""
        return (self.data / self.node).is_dir()

    def ask(self, address: str, path: str) -> Any:
        """
        The management API's answer at a member; None: there is none.
        """
        login = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        line = http.client.HTTPSConnection(
            address, MANAGEMENT_PORT, timeout=ASK_SECONDS, context=self.context
        )
        try:
            line.request("GET", path, headers={"Authorization": f"Basic {login}"})
            answer = line.getresponse()
            body = answer.read()
            return json.loads(body) if answer.status == 200 else None
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            line.close()

    def nodes(self, address: str) -> dict[str, bool] | None:
        """
        All nodes of the cluster in a member's eyes, and whether each runs; None: it does not answer.
        """
        answer = self.ask(address, "/api/nodes")
        if not isinstance(answer, list):
            return None
        return {str(one["name"]): bool(one.get("running")) for one in answer}

    def command(self, *words: str) -> tuple[bool, str]:
        """
        Run one of RabbitMQ's own commands; whether it succeeded, and what it said.
        """
        try:
            done = subprocess.run(
                words,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False, f"{words[0]} took more than {COMMAND_SECONDS} s"
        said = (done.stdout + done.stderr).strip()
        print(f"{' '.join(words)}: {done.returncode} {said[-500:]}", flush=True)
        return done.returncode == 0, said


def node(address: str) -> str:
    """
    A node's name. Addresses outlive instances here, so they need no table of hosts that every new member would have to be written into.
    """
    return f"rabbit@{address}"
