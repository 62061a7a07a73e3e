"""
One bucket of an object store with S3's interface, over connections that stay: a task of a second has no time for a new one.

Requests are signed by AWS' signature version 4; their content goes unsigned, TLS keeps it. Standard library alone: this runs in instances.
"""

# ruff: noqa: INP001  an instance runs this file by itself

from __future__ import annotations

import hashlib
import hmac
import html
import http.client
import re
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping

ANSWER_SECONDS = 30.0
PAGE = 1000
_UNSIGNED = "UNSIGNED-PAYLOAD"
_KEY = re.compile(r"<Key>([^<]*)</Key>")
_MISSING = 404
_EXISTS = 412


Connect = Callable[..., http.client.HTTPConnection]


class StoreTrouble(Exception):
    """
    The object store does not answer, or says no.
    """


class Bucket:
    """
    Objects by key. Thread-safe: every request has a connection of its own, which the next one takes over.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        connect: Connect = http.client.HTTPSConnection,
    ) -> None:
        self._connect = connect
        found = urllib.parse.urlsplit(settings["url"])
        self._host, self._port = str(found.hostname), found.port or 443
        self._root = found.path.rstrip("/") + "/" + settings["bucket"]
        self._access, self._secret = settings["access"], settings["secret"]
        self._region = settings["region"]
        authority = settings.get("ca_file")
        self._context = ssl.create_default_context(cafile=authority)
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def put(self, key: str, data: bytes, *, new: bool = False) -> bool:
        """
        Keep an object; with `new` only when there is none: False, then.
        """
        more = {"If-None-Match": "*"} if new else {}
        status, _ = self._ask("PUT", key, data, more)
        if new and status == _EXISTS:
            return False
        self._check(status, f"keeping {key}")
        return True

    def get(self, key: str) -> bytes | None:
        """
        An object's content; None when there is none.
        """
        status, data = self._ask("GET", key)
        if status == _MISSING:
            return None
        self._check(status, f"reading {key}")
        return data

    def keys(self, prefix: str) -> Iterator[str]:
        """
        The keys that begin so, up to a page of them.
        """
        query = {"prefix": prefix, "max-keys": str(PAGE)}
        status, data = self._ask("GET", "", query=query)
        self._check(status, f"listing {prefix}")
        for found in _KEY.finditer(data.decode()):
            yield html.unescape(found[1])

    def _check(self, status: int, doing: str) -> None:
        if status // 100 != 2:
            raise StoreTrouble(f"{doing}: the object store answers {status}")

    def _ask(
        self,
        method: str,
        key: str,
        body: bytes | None = None,
        more: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        path = self._root + "/" + urllib.parse.quote(key)
        asked = "&".join(
            f"{_quoted(k)}={_quoted(v)}" for k, v in sorted((query or {}).items())
        )
        headers = {**self._signed(method, path, asked), **(more or {})}
        target = f"{path}?{asked}" if asked else path
        error: Exception | None = None
        for fresh in (False, True):
            line = self._line(fresh=fresh)
            try:
                line.request(method, target, body, headers)
                answer = line.getresponse()
                said = answer.status, answer.read()
            except (OSError, http.client.HTTPException) as trouble:
                # A connection that was idle may have been closed: once more on a new one.
                error = trouble
                line.close()
            else:
                with self._lock:
                    self._idle.append(line)
                return said
        raise StoreTrouble(f"the object store does not answer: {error}") from error

    def _line(self, *, fresh: bool) -> http.client.HTTPConnection:
        with self._lock:
            if self._idle and not fresh:
                return self._idle.pop()
        return self._connect(
            self._host, self._port, timeout=ANSWER_SECONDS, context=self._context
        )

    def _signed(self, method: str, path: str, query: str) -> dict[str, str]:
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        day, host = at[:8], f"{self._host}:{self._port}"
        canonical = (
            f"{method}\n{path}\n{query}\nhost:{host}\n"
            f"x-amz-content-sha256:{_UNSIGNED}\nx-amz-date:{at}\n\n"
            f"host;x-amz-content-sha256;x-amz-date\n{_UNSIGNED}"
        )
        scope = f"{day}/{self._region}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}"
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return {
            "Host": host,
            "X-Amz-Date": at,
            "X-Amz-Content-SHA256": _UNSIGNED,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self._access}/{scope}, "
            f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}",
        }


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")
