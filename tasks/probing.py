"""
Our own eyes: one HTTP request to an instance, and what came of it.

Every request takes a fresh connection, because a kept one says nothing about whether new users get in; and it ends after its time-out
however slowly the answer drips.
"""

from __future__ import annotations

import errno
import ssl
import time

import httpx

from fournines.clock import Clock
from fournines.model.probing import Answer, ProbeResult, Scheme

CONNECTIONS_MAX = 64
"""Probes at once: more members than this are asked in turn."""

_NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


class HttpProber:
    """
    `Prober` over httpx.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._client = httpx.Client(
            limits=httpx.Limits(
                max_connections=CONNECTIONS_MAX, max_keepalive_connections=0
            ),
            verify=_unverified(),
            trust_env=False,
        )

    def probe(
        self,
        address: str,
        port: int,
        path: str,
        *,
        timeout_ms: int,
        scheme: Scheme = "http",
    ) -> ProbeResult:
        at = self._clock.now()
        timeout = timeout_ms / 1000
        begin = time.monotonic()
        answer, status = self._ask(f"{scheme}://{address}:{port}{path}", timeout, begin)
        return ProbeResult(
            at=at,
            path=path,
            answer=answer,
            seconds=time.monotonic() - begin,
            status=status,
        )

    def _ask(self, url: str, timeout: float, begin: float) -> tuple[Answer, int | None]:
        try:
            with self._client.stream("GET", url, timeout=timeout) as response:
                for _ in response.iter_raw():
                    if time.monotonic() - begin > timeout:
                        return Answer.SILENT, None
                return Answer.STATUS, response.status_code
        except httpx.TimeoutException:
            return Answer.SILENT, None
        except httpx.ConnectError as error:
            return _refusal(error), None
        except (httpx.HTTPError, httpx.InvalidURL):
            # The connection broke off, or what came was no HTTP: nobody serves there.
            return Answer.REFUSED, None


def _unverified() -> ssl.SSLContext:
    """
    Asked is whether somebody answers, and nothing secret is said. Who verifies are operators and transactions.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _refusal(error: BaseException) -> Answer:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_WAY:
            return Answer.UNREACHABLE
        cause = cause.__cause__ or cause.__context__
    return Answer.REFUSED
