"""
Open-loop load on one URL: requests start on schedule whether or not earlier ones were answered, as users do.

Every request ends as one JSON line `[started_epoch_seconds, seconds, status]`; status 0 is no answer (time-out or a broken
connection). Bounded in rate and time, and meant for this machine's own addresses.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from pathlib import Path
from typing import TextIO

import httpx

RATE_MAX = 2_000
"""Requests a second; beyond this two cores measure themselves."""

SECONDS_MAX = 3_600

TIMEOUT_SECONDS = 5.0
"""A user who waited this long has left."""

_TIMEOUT = httpx.Timeout(TIMEOUT_SECONDS).as_dict()

_POOLS = 8
"""Connection pools: a pool searches all its connections for each request, so several small ones are cheaper than a large one."""

_CONNECTIONS_MAX = 64
"""Per pool; a hung member holds a quarter of 200 requests/s for 2 s: 100 connections in all."""

_FLUSH_SECONDS = 0.25

_NICENESS = -5
"""The measuring instrument must not wait for what it measures; kept where root may say so."""


async def generate(
    url: str, *, rate: float, seconds: float, output: Path, for_parent: bool = False
) -> int:
    """
    Send `rate` requests a second for `seconds`; returns how many were sent. `for_parent`: it ends, too, when whoever began it is no more.
    """
    assert 0 < rate <= RATE_MAX
    assert 0 < seconds <= SECONDS_MAX
    with contextlib.suppress(PermissionError):
        os.nice(_NICENESS)
    limits = httpx.Limits(
        max_connections=_CONNECTIONS_MAX, max_keepalive_connections=_CONNECTIONS_MAX
    )
    # The bare transport: no redirects, cookies or authentication to prepare per request.
    pools = [httpx.AsyncHTTPTransport(limits=limits) for _ in range(_POOLS)]
    sent, parent = 0, os.getppid()
    flushed = time.monotonic()
    with output.open("a") as out:
        async with asyncio.TaskGroup() as tasks:
            begin = time.monotonic()
            while (due := sent / rate) < seconds:
                await asyncio.sleep(max(0.0, begin + due - time.monotonic()))
                tasks.create_task(_one(pools[sent % _POOLS], url, out))
                sent += 1
                if time.monotonic() - flushed > _FLUSH_SECONDS:
                    out.flush()
                    flushed = time.monotonic()
                    if for_parent and os.getppid() != parent:
                        break
    for pool in pools:
        await pool.aclose()
    return sent


async def _one(pool: httpx.AsyncHTTPTransport, url: str, out: TextIO) -> None:
    started = time.time()
    begin = time.monotonic()
    try:
        status = await _get(pool, url)
    except httpx.RemoteProtocolError:
        # An idle connection was closed under us, as a load balancer that reloads does. A browser sends a GET again (RFC 9110, 9.2.2).
        try:
            status = await _get(pool, url)
        except httpx.HTTPError:
            status = 0
    except httpx.HTTPError:
        status = 0
    taken = time.monotonic() - begin
    out.write(json.dumps([round(started, 4), round(taken, 4), status]) + "\n")


async def _get(pool: httpx.AsyncHTTPTransport, url: str) -> int:
    asked = httpx.Request("GET", url, extensions={"timeout": _TIMEOUT})
    answer = await pool.handle_async_request(asked)
    await answer.aread()
    return answer.status_code
