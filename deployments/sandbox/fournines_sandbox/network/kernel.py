"""
How this package talks to the kernel's network: iproute2 and nft, a batch per call.

A batch is one short process whatever its length, leaves nothing loaded in the OpenStack processes, and its text is
what a person would type to check.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NETNS_DIRECTORY = Path("/run/netns")
_TIMEOUT_SECONDS = 30


class NetworkError(RuntimeError):
    """
    The kernel refused a change to the network; the message holds the command and its answer.
    """


def _run(argv: list[str], text: str | None = None) -> str:
    done = subprocess.run(
        argv,
        input=text,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        what = " ".join(argv) + (f" <<< {text.strip()!r}" if text else "")
        raise NetworkError(f"{what}: {done.stderr.strip()}")
    return done.stdout


def netns_exists(netns: str) -> bool:
    """
    Whether a named network namespace exists.
    """
    return (NETNS_DIRECTORY / netns).exists()


def netns_names(prefix: str) -> list[str]:
    """
    The named network namespaces that begin with a prefix.
    """
    if not NETNS_DIRECTORY.is_dir():
        return []
    return sorted(path.name for path in NETNS_DIRECTORY.iterdir() if path.name.startswith(prefix))


def ensure_netns(netns: str) -> bool:
    """
    Make a named network namespace with its loopback up.

    Returns:
        Whether it had to be made.
    """
    if netns_exists(netns):
        return False
    try:
        _run(["ip", "netns", "add", netns])
    except NetworkError:
        if not netns_exists(netns):
            raise
        return False
    ip(["link set lo up"], netns)
    return True


def delete_netns(netns: str) -> None:
    """
    Remove a named network namespace and with it every interface and rule inside; absent is fine.
    """
    if netns_exists(netns):
        try:
            _run(["ip", "netns", "delete", netns])
        except NetworkError:
            if netns_exists(netns):
                raise


def ip(lines: Iterable[str], netns: str | None = None, *, force: bool = False) -> None:
    """
    Run lines of iproute2 as one batch, in the host's namespace or a named one.

    Args:
        force: Go on after a line that fails, and do not complain.
    """
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    argv = ["ip", *(["-n", netns] if netns else []), *(["-force"] if force else []), "-batch", "-"]
    try:
        _run(argv, text)
    except NetworkError:
        if not force:
            raise


def ip_json(command: str, netns: str | None = None) -> list[dict[str, Any]]:
    """
    What `ip -json COMMAND` answers; nothing when it fails, because the usual reason is that the object is absent.
    """
    argv = ["ip", *(["-n", netns] if netns else []), "-d", "-json", *command.split()]
    try:
        answer: list[dict[str, Any]] = json.loads(_run(argv) or "[]")
    except NetworkError:
        return []
    return [item for item in answer if item]


def nft(text: str, netns: str | None = None) -> None:
    """
    Apply an nft script, all of it or nothing.
    """
    enter = ["nsenter", f"--net={NETNS_DIRECTORY / netns}"] if netns else []
    _run([*enter, "nft", "-f", "-"], text)


def set_sysctls(values: dict[str, str], netns: str | None = None) -> None:
    """
    Write sysctls (dotted names whose parts hold no dot themselves) in a namespace.
    """
    pairs = [f"{name}={value}" for name, value in values.items()]
    enter = ["nsenter", f"--net={NETNS_DIRECTORY / netns}"] if netns else []
    _run([*enter, "sysctl", "-q", "-w", *pairs])
