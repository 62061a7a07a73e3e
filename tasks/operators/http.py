"""
One HTTP client for all operators: TLS with the platform's own CA, credentials, time-outs, and errors in our words.

A request is asked of one address, or of several in turn until one gives a usable answer. Nothing is tried twice at the same address: the next
look comes soon enough, and a step has its own deadline.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import JsonValue

from tasks.operators import ClusterRefused, ClusterSilent

TIMEOUT_SECONDS = 2.0
"""A member that takes longer is as good as silent: whoever asks has others to ask."""

CONNECT_SECONDS_MAX = 5.0
"""With its TLS handshake, on a busy machine."""

_SERVER_TROUBLE = 500


@dataclass(frozen=True, slots=True)
class Login:
    """
    Who we are to the service. Never logged: its words for people leave the password out.
    """

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.user!r})"


class Api:
    """
    One engine's HTTP API on one port of every member.

    Args:
        port: Where it listens.
        ca: The platform's CA as PEM; None asks over plain HTTP.
        login: Basic authentication; None: none.
        certificate: Paths of our own certificate and key, for services that ask for one.
        silent_from: From this status on an answer is no answer; a service that says no by 500 has a higher one.
    """

    def __init__(
        self,
        port: int,
        *,
        ca: str | None = None,
        login: Login | None = None,
        certificate: tuple[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        silent_from: int = _SERVER_TROUBLE,
    ) -> None:
        self._port = port
        self._silent_from = silent_from
        self._scheme = "https" if ca else "http"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca:
            context.load_verify_locations(cadata=ca)
        if certificate:
            context.load_cert_chain(*certificate)
        self._client = httpx.Client(
            verify=context,
            timeout=timeout_seconds,
            trust_env=False,
            auth=(login.user, login.password) if login else None,
        )

    def ask(
        self,
        address: str,
        path: str,
        *,
        method: str = "GET",
        body: JsonValue = None,
        doing: str = "",
        timeout_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """
        One request to one member. Any answer below 500 (or whatever silence begins with) is the caller's to judge.

        Raises:
            ClusterSilent: No answer, or one of its own trouble (5xx).
        """
        url = f"{self._scheme}://{address}:{self._port}{path}"
        attempted = doing or f"asking {url}"
        extra: dict[str, Any] = {}
        if body is not None:
            extra["json"] = body
        if timeout_seconds is not None:
            # However long the work takes: who is there at all takes a connection at once.
            extra["timeout"] = httpx.Timeout(
                timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS_MAX)
            )
        if headers is not None:
            extra["headers"] = dict(headers)
        try:
            answer = self._client.request(method, url, **extra)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            said = str(error) or type(error).__name__
            raise ClusterSilent(attempted, said) from error
        if answer.status_code >= self._silent_from:
            raise ClusterSilent(attempted, _told(answer))
        return answer

    def ask_any(
        self,
        addresses: Iterable[str],
        path: str,
        *,
        usable: Callable[[httpx.Response], bool] = lambda answer: answer.is_success,
        **request: Any,
    ) -> httpx.Response:
        """
        The first usable answer of several members, asked in turn.

        Raises:
            ClusterSilent: None of them gave one; the message says what each did.
        """
        said: list[str] = []
        for address in addresses:
            try:
                answer = self.ask(address, path, **request)
            except ClusterSilent as error:
                said.append(f"{address}: {error.detail}")
                continue
            if usable(answer):
                return answer
            said.append(f"{address}: {_told(answer)}")
        attempted = request.get("doing") or f"asking for {path}"
        raise ClusterSilent(attempted, "; ".join(said) or "no member has an address")

    def order(self, address: str, path: str, **request: Any) -> httpx.Response:
        """
        A request that must be carried out.

        Raises:
            ClusterSilent: No answer.
            ClusterRefused: A 4xx: it said no.
        """
        answer = self.ask(address, path, **request)
        if answer.is_success:
            return answer
        attempted = request.get("doing") or f"asking {address} for {path}"
        raise ClusterRefused(attempted, _told(answer))


_TOLD_MAX = 300


def _told(answer: httpx.Response) -> str:
    """
    Its status and the beginning of what it says.
    """
    text = " ".join(answer.text.split())[:_TOLD_MAX]
    return f"{answer.status_code} {text}".strip()
