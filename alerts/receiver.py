"""
The webhook door: Alertmanager's messages, checked, committed to the inbox, then answered.

The order is the promise: bearer token, rate, size, type, form, then the inbox's commit, then 202. Whoever gets a 202 may forget the alert.
Everything else is refused with a reason and counted. Commits are gathered: what arrives while one commit runs shares the next.

The door decides nothing: `on_new` hears of alerts that are new or newly resolved, `on_watchdog` that the chain is alive. Both are called
in the committing thread and must return at once.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from alerts import conventions, payload, rates
from alerts.payload import PayloadRefused
from alerts.rates import Bucket, Rates
from fournines.clock import Clock
from fournines.log import get
from fournines.store.protocol import AlertRecord, Inbox, StoreError

POSTS_PER_SECOND_MAX = 3_000.0
"""Per source with a good token; a storm of Alertmanagers stays far below, and this machine manages about 2,000."""

STRANGERS_PER_SECOND_MAX = 50.0
"""Per source without one: enough for a person who mistypes, too little to guess with or to keep a core busy."""

STRANGERS_TOTAL_MAX = 500.0
"""All strangers together, however many addresses they speak from."""

WAITING_MAX = 20_000
"""Alerts waiting for their commit. More means that the store is slower than the senders: they are told to come again."""

BATCH_MAX = 5_000
"""Alerts in one commit: a transaction of some tenths of a second, and below every database's limit of variables."""

WARNINGS_PER_SECOND_MAX = 2.0
"""Refusals told in the log; all of them are counted. Whoever is refused must not fill the disk."""

BODY_SECONDS_MAX = 10.0
"""A body that drips in slower than this is an attack or a broken link."""

_log = get("door")


class Refused(Exception):
    """
    A request that is not let in: HTTP status, reason for the counter, sentence for the sender.
    """

    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(status, reason, detail)
        self.status = status
        self.reason = reason
        self.detail = detail


_Waiting = tuple[tuple[AlertRecord, ...], "asyncio.Future[None]"]


class Door:
    """
    The door for one inbox. Use `route` in a Starlette application whose lifespan runs `committing`.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        tokens: Callable[[], tuple[str, ...]],
        clock: Clock,
        on_new: Callable[[tuple[AlertRecord, ...]], None],
        on_watchdog: Callable[[], None],
        registry: CollectorRegistry,
    ) -> None:
        self._inbox = inbox
        self._tokens = tokens
        self._clock = clock
        self._on_new = on_new
        self._on_watchdog = on_watchdog
        self._known = Rates(POSTS_PER_SECOND_MAX)
        self._strangers = Rates(STRANGERS_PER_SECOND_MAX, STRANGERS_TOTAL_MAX)
        self._warnings = Bucket(WARNINGS_PER_SECOND_MAX, WARNINGS_PER_SECOND_MAX, 0.0)
        self._waiting_alerts = 0
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._received = Counter(
            conventions.ALERTS_RECEIVED.removesuffix("_total"),
            "Webhook messages and alerts by outcome: new, known, or why refused.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("new", "known"):
            self._received.labels(outcome)
        self._seconds = Histogram(
            "fournines_alerts_answer_seconds",
            "From a message's first byte to its answer, commit included.",
            registry=registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
        )

    @property
    def route(self) -> Route:
        """
        POST /alerts.
        """
        return Route("/alerts", self.receive, methods=["POST"])

    @asynccontextmanager
    async def committing(self) -> AsyncIterator[None]:
        """
        Commits run for as long as this context is open; what waits at its end is still committed.
        """
        task = asyncio.create_task(self._commit_for_ever())
        try:
            yield
        finally:
            await self._waiting.join()
            task.cancel()

    async def receive(self, request: Request) -> JSONResponse:
        """
        One message in, one answer out.
        """
        begun = time.perf_counter()
        try:
            records = await self._let_in(request)
            await self._commit(records)
        except Refused as refused:
            self._received.labels(refused.reason).inc()
            if self._warnings.take(time.monotonic()):
                _log.warning(
                    "alerts_refused", reason=refused.reason, detail=refused.detail
                )
            return JSONResponse(
                {"refused": refused.reason, "detail": refused.detail},
                status_code=refused.status,
                headers={"Connection": "close"} if refused.status != 503 else None,
            )
        self._seconds.observe(time.perf_counter() - begun)
        return JSONResponse({"accepted": len(records)}, status_code=202)

    async def _let_in(self, request: Request) -> tuple[AlertRecord, ...]:
        """
        Every check, cheapest first. Raises Refused.
        """
        source = rates.source(request.client.host if request.client else "")
        now = time.monotonic()
        tokens = self._tokens()
        if not tokens:
            # Alertmanager gives up on 401 and comes again on 503.
            raise Refused(503, "no-token", "the door has no token to compare with")
        if not _is_known(tokens, request.headers.get("authorization", "")):
            if not self._strangers.take(source, now):
                raise Refused(429, "rate", "too many messages without a good token")
            raise Refused(401, "token", "the bearer token is missing or wrong")
        if not self._known.take(source, now):
            raise Refused(503, "rate", f"more than {POSTS_PER_SECOND_MAX:.0f} a second")
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind.lower() != "application/json":
            raise Refused(415, "type", "send application/json")
        body = await self._body(request)
        try:
            return payload.parse(body, received_at=self._clock.now())
        except PayloadRefused as error:
            status = 413 if error.fault is payload.Fault.TOO_BIG else 400
            raise Refused(status, error.fault.value, error.detail) from error

    async def _body(self, request: Request) -> bytes:
        declared = request.headers.get("content-length", "")
        too_big = Refused(
            413, "too-big", f"at most {payload.BODY_BYTES_MAX} bytes in one message"
        )
        if _is_more(declared, payload.BODY_BYTES_MAX):
            raise too_big
        read = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                async for part in request.stream():
                    read += part
                    if len(read) > payload.BODY_BYTES_MAX:
                        raise too_big
        except TimeoutError as error:
            raise Refused(408, "slow", "the body did not arrive in time") from error
        except ClientDisconnect as error:
            raise Refused(400, "broken-off", "the sender left half-way") from error
        return bytes(read)

    async def _commit(self, records: tuple[AlertRecord, ...]) -> None:
        """
        Until the inbox has them. Watchdogs are heard and not kept.
        """
        if any(payload.is_watchdog(record) for record in records):
            self._on_watchdog()
        kept = tuple(r for r in records if not payload.is_watchdog(r))
        if not kept:
            return
        if self._waiting_alerts + len(kept) > WAITING_MAX:
            raise Refused(503, "full", f"{self._waiting_alerts} alerts wait already")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting_alerts += len(kept)
        self._waiting.put_nowait((kept, done))
        try:
            await done
        except StoreError as error:
            raise Refused(503, "store", str(error)) from error

    async def _commit_for_ever(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            count = len(batch[0][0])
            while not self._waiting.empty() and count < BATCH_MAX:
                batch.append(self._waiting.get_nowait())
                count += len(batch[-1][0])
            records = tuple(record for kept, _ in batch for record in kept)
            try:
                await asyncio.to_thread(self._put, records)
            except StoreError as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(StoreError(str(error)))
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)
            self._waiting_alerts -= count
            for _ in batch:
                self._waiting.task_done()

    def _put(self, records: tuple[AlertRecord, ...]) -> None:
        new = self._inbox.put(records)
        self._received.labels("new").inc(len(new))
        self._received.labels("known").inc(len(records) - len(new))
        if new:
            self._on_new(new)


def _is_known(tokens: tuple[str, ...], header: str) -> bool:
    """
    Whether the header carries one of the tokens. Each is compared, in constant time, also when an earlier one fits.
    """
    given = header.encode(errors="replace")
    fits = [hmac.compare_digest(given, f"Bearer {one}".encode()) for one in tokens]
    return any(fits)


def _is_more(declared: str, limit: int) -> bool:
    """
    Whether a Content-Length is over the limit; a text that is no number says nothing, the body is counted anyway.
    """
    if not (declared.isascii() and declared.isdigit()):
        return False
    digits = declared.lstrip("0")
    return len(digits) > len(str(limit)) or int(digits or "0") > limit
