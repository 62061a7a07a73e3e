"""
Open-loop load on one URL: requests start on schedule whether or not earlier ones were answered, as users do.

Every request ends as one JSON line `[started_epoch_seconds, seconds, status]`; status 0 is no answer (time-out or a broken
connection). Bounded in rate and time, and meant for this machine's own addresses.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TextIO

import httpx

RATE_MAX = 2_000
"""Requests a second; beyond this two cores measure themselves."""

SECONDS_MAX = 3_600

TIMEOUT_SECONDS = 5.0
"""A user who waited this long has left."""

_IN_FLIGHT_MAX = 1_000
_FLUSH_SECONDS = 0.25


async def generate(url: str, *, rate: float, seconds: float, output: Path) -> int:
    """
    Send `rate` requests a second for `seconds`; returns how many were sent.
    """
    assert 0 < rate <= RATE_MAX
    assert 0 < seconds <= SECONDS_MAX
    limits = httpx.Limits(max_connections=_IN_FLIGHT_MAX, max_keepalive_connections=100)
    timeout = httpx.Timeout(TIMEOUT_SECONDS)
    sent = 0
    flushed = time.monotonic()
    with output.open("a") as out:
        async with (
            httpx.AsyncClient(
                limits=limits, timeout=timeout, trust_env=False
            ) as client,
            asyncio.TaskGroup() as tasks,
        ):
            begin = time.monotonic()
            while (due := sent / rate) < seconds:
                if (ahead := begin + due - time.monotonic()) > 0:
                    await asyncio.sleep(ahead)
                tasks.create_task(_one(client, url, out))
                sent += 1
                if time.monotonic() - flushed > _FLUSH_SECONDS:
                    out.flush()
                    flushed = time.monotonic()
    return sent


async def _one(client: httpx.AsyncClient, url: str, out: TextIO) -> None:
    started = time.time()
    begin = time.monotonic()
    try:
        status = (await client.get(url)).status_code
    except httpx.HTTPError:
        status = 0
    taken = time.monotonic() - begin
    out.write(json.dumps([round(started, 4), round(taken, 4), status]) + "\n")
