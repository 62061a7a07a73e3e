"""
The webhook door: who is let in, what is committed before it is answered, and why the rest is refused.
"""

import asyncio
import json
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from alerts import rates
from alerts.payload import BODY_BYTES_MAX
from alerts.rates import Bucket, Rates
from alerts.receiver import Door
from fournines.cloud.virtual_clock import VirtualClock
from fournines.store.protocol import StoreError
from fournines.store.sql import open_store

GOOD = {"Authorization": "Bearer t0k3n", "Content-Type": "application/json"}


def an_alert(name="ProbeFail", fingerprint="0123456789abcdef", **changes):
    """
    One alert as Alertmanager sends it.
    """
    return {
        "status": "firing",
        "labels": {"alertname": name, "platform": "demo", "service": "shop"},
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": fingerprint,
    } | changes


def a_message(*alerts):
    """
    A webhook message.
    """
    return json.dumps({"version": "4", "alerts": list(alerts)})


class BrokenInbox:
    """
    An inbox whose database is gone.
    """

    def put(self, alerts):
        """
        Fails.
        """
        raise StoreError("committing in the store: disk full")


class House:
    """
    A door with its inbox, and everything it told.
    """

    def __init__(self, inbox=None) -> None:
        self.store = open_store("sqlite://")
        self.heard = []
        self.watchdogs = []
        self.tokens = ("t0k3n",)
        self.registry = CollectorRegistry()
        self.door = Door(
            inbox=inbox or self.store.inbox,
            tokens=lambda: self.tokens,
            clock=VirtualClock(),
            on_new=self.heard.extend,
            on_watchdog=lambda: self.watchdogs.append(datetime.now(UTC)),
            registry=self.registry,
        )
        self.runner = asyncio.Runner()

    def request(self, content, headers=(), method="POST"):
        """
        One request, and its answer.
        """
        return self.runner.run(self._request(content, dict(headers), method))

    async def _request(self, content, headers, method):
        transport = httpx.ASGITransport(Starlette(routes=[self.door.route]))
        client = httpx.AsyncClient(transport=transport, base_url="http://door")
        async with self.door.committing(), client:
            return await client.request(
                method, "/alerts", content=content, headers=headers
            )

    def counted(self, outcome):
        """
        How often an outcome was counted.
        """
        name = "fournines_alerts_received_total"
        return self.registry.get_sample_value(name, {"outcome": outcome}) or 0


@pytest.fixture
def house():
    """
    A door with an empty inbox.
    """
    house = House()
    yield house
    house.runner.close()


def test_an_alert_is_in_the_inbox_before_the_answer(house):
    """
    202 means committed, and told on.
    """
    answer = house.request(a_message(an_alert()), GOOD)

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert [record.name for record in house.store.inbox.pending()] == ["ProbeFail"]
    assert [record.name for record in house.heard] == ["ProbeFail"]


def test_the_same_firing_is_heard_once(house):
    """
    Repeats are accepted, counted as known, and wake nobody.
    """
    for _ in range(3):
        house.request(a_message(an_alert()), GOOD)

    assert len(house.heard) == 1
    assert (house.counted("new"), house.counted("known")) == (1, 2)


def test_resolved_before_firing_stays_resolved(house):
    """
    A firing that arrives after its own end changes nothing.
    """
    ended = an_alert(status="resolved", endsAt="2026-01-01T00:01:00Z")
    house.request(a_message(ended), GOOD)
    house.request(a_message(an_alert()), GOOD)

    assert [record.status for record in house.heard] == ["resolved"]
    assert house.store.inbox.firing("demo", "shop") == ()


def test_a_watchdog_is_heard_and_not_kept(house):
    """
    The Watchdog says that the chain is alive, every time it comes.
    """
    for _ in range(2):
        house.request(a_message(an_alert("Watchdog")), GOOD)

    assert len(house.watchdogs) == 2
    assert house.store.inbox.pending() == ()


@pytest.mark.parametrize(
    ("content", "headers", "status", "reason"),
    [
        pytest.param(a_message(an_alert()), {}, 401, "token", id="no-token"),
        pytest.param(
            a_message(an_alert()),
            GOOD | {"Authorization": "Bearer wrong"},
            401,
            "token",
            id="a-wrong-token",
        ),
        pytest.param(
            a_message(an_alert()),
            GOOD | {"Authorization": "Basic t0k3n"},
            401,
            "token",
            id="the-right-token-in-the-wrong-way",
        ),
        pytest.param(
            a_message(an_alert()),
            GOOD | {"Content-Type": "text/plain"},
            415,
            "type",
            id="no-json-type",
        ),
        pytest.param(
            " " * (BODY_BYTES_MAX + 1),
            GOOD | {"Content-Length": "9" * 5_000},
            413,
            "too-big",
            id="a-length-of-five-thousand-digits",
        ),
        pytest.param("{", GOOD, 400, "not-json", id="no-json"),
        pytest.param('{"version": "5"}', GOOD, 400, "malformed", id="no-alerts"),
        pytest.param(
            " " * (BODY_BYTES_MAX + 1), GOOD, 413, "too-big", id="more-than-a-mebibyte"
        ),
    ],
)
def test_refused(house, content, headers, status, reason):
    """
    What is not let in gets its reason, is counted under it, and leaves no trace.
    """
    answer = house.request(content, headers)

    assert (answer.status_code, answer.json()["refused"]) == (status, reason)
    assert house.counted(reason) == 1
    assert house.heard == []
    assert "t0k3n" not in answer.text


def test_only_posts(house):
    """
    The door has one handle.
    """
    assert house.request("", GOOD, "GET").status_code == 405


def test_a_streamed_body_has_a_limit_too(house):
    """
    Without a declared length the body is counted as it comes.
    """

    async def parts():
        for _ in range(BODY_BYTES_MAX // 65_536 + 1):
            yield b" " * 65_536

    answer = house.request(parts(), GOOD)

    assert answer.status_code == 413


def test_strangers_are_slowed_down(house):
    """
    Guessing tokens ends in 429; a source with the token is not held up by it.
    """
    codes = [house.request("{}").status_code for _ in range(120)]

    assert {401, 429} == set(codes)
    known = house.request(a_message(an_alert()), GOOD)
    assert known.status_code == 202


def test_a_store_that_fails_is_no_acceptance():
    """
    503 makes Alertmanager send it again.
    """
    house = House(BrokenInbox())
    answer = house.request(a_message(an_alert()), GOOD)

    assert (answer.status_code, answer.json()["refused"]) == (503, "store")
    assert house.heard == []


def test_a_bucket_fills_again():
    """
    The rate holds over time, not over a lifetime.
    """
    bucket = Bucket(rate=2, left=2, at=0.0)

    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
    assert bucket.take(0.5)


def test_rates_forget_the_longest_unheard():
    """
    Many sources do not fill the memory.
    """
    rates = Rates(1)
    for source in range(1_500):
        rates.take(str(source), 0.0)

    assert len(rates.buckets) == 1_000
    assert "0" not in rates.buckets


def test_all_strangers_together_have_a_limit():
    """
    A thousand addresses are not a thousand times the rate.
    """
    rates_ = Rates(50, total=500)

    assert sum(rates_.take(str(one), 0.0) for one in range(900)) == 500


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("10.0.0.1", "10.0.0.2", False, id="two-hosts"),
        pytest.param("2001:db8::1", "2001:db8::ffff:1", True, id="one-network"),
        pytest.param("2001:db8::1", "2001:db8:0:1::1", False, id="two-networks"),
        pytest.param("::ffff:10.0.0.1", "10.0.0.1", True, id="ipv4-in-ipv6"),
        pytest.param("", "", True, id="a-socket-without-address"),
    ],
)
def test_sources(one, other, same):
    """
    A host of IPv6 has a whole network of addresses to speak from, and counts as one.
    """
    assert (rates.source(one) == rates.source(other)) == same


def test_a_rotation_lets_both_in(house):
    """
    While two tokens are good each of them opens; afterwards only the new one.
    """
    new = GOOD | {"Authorization": "Bearer n3w"}
    content = a_message(an_alert())

    house.tokens = ("n3w", "t0k3n")
    assert [house.request(content, h).status_code for h in (GOOD, new)] == [202, 202]
    house.tokens = ("n3w",)
    assert [house.request(content, h).status_code for h in (GOOD, new)] == [401, 202]


def test_without_a_token_nobody_is_let_in_and_nothing_is_lost(house):
    """
    No token to compare with: 503, so that Alertmanager comes again; never an empty token that fits.
    """
    house.tokens = ()
    for header in (GOOD, GOOD | {"Authorization": "Bearer "}, {}):
        answer = house.request(a_message(an_alert()), header)
        assert (answer.status_code, answer.json()["refused"]) == (503, "no-token")

    assert house.store.inbox.pending() == ()
