"""
The client all operators share: what it makes of answers, and whom it asks next.
"""

from __future__ import annotations

import json

import httpx
import pytest
import respx

from tasks.operators import ClusterRefused, ClusterSilent
from tasks.operators.http import Api, Login


def url(number: int, path: str = "/cluster") -> str:
    """
    A member's address.
    """
    return f"http://10.0.0.{number}:8008{path}"


@respx.mock
def test_the_next_member_is_asked():
    """
    Silence, a server's own trouble and an answer of no use all lead to the next.
    """
    respx.get(url(1)).mock(side_effect=httpx.ConnectTimeout("no answer"))
    respx.get(url(2)).respond(503, text="starting up")
    respx.get(url(3)).respond(404)
    respx.get(url(4)).respond(200, json={"leader": "a"})
    addresses = [f"10.0.0.{n}" for n in range(1, 5)]

    answer = Api(8008).ask_any(addresses, "/cluster")

    assert answer.json() == {"leader": "a"}


@respx.mock
def test_silence_says_what_each_did():
    """
    When none is of use, the error names every member and its answer.
    """
    respx.get(url(1)).mock(side_effect=httpx.ConnectError("refused"))
    respx.get(url(2)).respond(503, text="starting\n  up")

    with pytest.raises(ClusterSilent) as caught:
        Api(8008).ask_any(["10.0.0.1", "10.0.0.2"], "/cluster", doing="asking db")

    assert str(caught.value) == (
        "asking db: 10.0.0.1: refused; 10.0.0.2: 503 starting up"
    )


def test_nobody_to_ask():
    """
    No address is silence too.
    """
    with pytest.raises(ClusterSilent, match="no member has an address"):
        Api(8008).ask_any([], "/cluster")


@respx.mock
def test_a_no_is_a_refusal():
    """
    A 4xx to an order is the service's no, with its words.
    """
    respx.post(url(1, "/switchover")).respond(412, text="candidate is not in sync")

    with pytest.raises(ClusterRefused, match="412 candidate is not in sync"):
        Api(8008).order("10.0.0.1", "/switchover", method="POST", body={"a": 1})


@respx.mock
def test_an_order_is_carried_out_with_our_login():
    """
    User and password go along, and the body as JSON; neither is in the login's words.
    """
    route = respx.post(url(1, "/switchover")).respond(200)
    login = Login("operator", "s3cret")

    Api(8008, login=login).order(
        "10.0.0.1", "/switchover", method="POST", body={"a": 1}, timeout_seconds=9
    )

    sent = route.calls.last.request
    assert sent.headers["authorization"].startswith("Basic ")
    assert json.loads(sent.content) == {"a": 1}
    assert "s3cret" not in repr(login)
