"""
A line to one Redis or Sentinel, and its errors in our words. The only importer of redis-py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tasks.operators import ClusterRefused, ClusterSilent

TIMEOUT_SECONDS = 2.0
"""A member that takes longer is as good as silent: there are others to ask."""


class Line(Protocol):
    """
    One server.

    Raises:
        ClusterSilent: It does not answer.
        ClusterRefused: It said no.
    """

    def say(self, *words: str) -> Any:
        """
        The answer to a command, as text.
        """
        ...

    def info(self) -> Mapping[str, Any]:
        """
        What it says of itself.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class RedisLine:
    """
    `Line` over redis-py, with TLS.
    """

    def __init__(
        self,
        address: str,
        port: int,
        *,
        user: str,
        password: str,
        ca: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._where = f"{address}:{port}"
        self._client = redis.Redis(
            host=address,
            port=port,
            username=user,
            password=password,
            ssl=True,
            ssl_ca_data=ca,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    def say(self, *words: str) -> Any:
        doing = f"telling {self._where} {' '.join(words[:2])}"
        client: Any = self._client
        try:
            return client.execute_command(*words)
        except redis.ResponseError as error:
            raise ClusterRefused(doing, str(error)) from error
        except redis.RedisError as error:
            raise ClusterSilent(doing, str(error) or type(error).__name__) from error

    def info(self) -> Mapping[str, Any]:
        doing = f"asking {self._where} for INFO"
        try:
            found: Any = self._client.info()
        except redis.ResponseError as error:
            raise ClusterRefused(doing, str(error)) from error
        except redis.RedisError as error:
            raise ClusterSilent(doing, str(error) or type(error).__name__) from error
        return dict(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
