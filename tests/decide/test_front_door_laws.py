"""
Laws of the front door: whatever is sent, it answers with a status it means, counts it, and lets nothing unseen further in.
"""

import json
import logging
import string
from io import StringIO

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from alerts import payload
from flows import case_text
from fournines import log
from fournines.clock import SystemClock
from fournines.model.case import Case, CaseEvent, Subject
from fournines.model.plain import line, markdown, plain
from tests.decide.test_receiver import GOOD, House, a_message, an_alert

MEANT = {202, 400, 413}

HOSTILE = (
    "\x1b[2J\x1b[31mowned",
    "\x1b]0;title\x07",
    "\x9b31m",
    "nul\x00byte",
    "$(reboot) `reboot` ; reboot #",
    "{{ config }} {% for x in y %} ${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://example.invalid/pixel)",
    "[red]markup[/red] [link=file:///etc/passwd]x[/link]",
    "a | b | c\n| forged | row |",
    "\u202egnp.exe",
    "%s %(x)s %n",
    "'; DROP TABLE cases; --",
)

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text()
    | st.sampled_from([10**400, -(10**400), 1e308, "", "\x00", *HOSTILE]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)

_texts = st.dictionaries(
    st.sampled_from(["alertname", "platform", "service", "group", "slot"]) | st.text(),
    st.text() | st.sampled_from(HOSTILE) | _json,
    max_size=8,
)

_alert = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["firing", "resolved", "Firing", ""]) | _json,
        "labels": _texts | _json,
        "annotations": _texts | _json,
        "startsAt": st.sampled_from(
            [
                "2026-01-01T00:00:00Z",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59-23:59",
                "2026-01-01T00:00:00.123456789123Z",
                "2026-02-30T00:00:00Z",
                "2026-01-01",
            ]
        )
        | _json,
        "endsAt": st.text() | _json,
        "fingerprint": st.text(alphabet=string.hexdigits, max_size=70) | _json,
    },
)

_body = st.one_of(
    st.binary(max_size=2_000),
    _json.map(json.dumps).map(str.encode),
    st.builds(
        lambda alerts, more: json.dumps(
            {"version": "4", "alerts": alerts} | more
        ).encode(),
        st.lists(_alert | st.builds(lambda more: an_alert() | more, _alert)),
        st.dictionaries(st.text(), _json, max_size=3)
        | st.builds(lambda v: {"version": v}, _json),
    ),
    st.integers(1, 60_000).map(lambda n: b"[" * n),
    st.integers(1, 30_000).map(lambda n: b'{"a":' * n),
    st.builds(
        lambda body, cut: body[: int(len(body) * cut)],
        st.just(a_message(an_alert(), an_alert("Other")).encode()),
        st.floats(0, 1),
    ),
)


@pytest.fixture(scope="module")
def house():
    """
    One door for all that is thrown at it.
    """
    log.configure(stream=StringIO(), as_json=True)
    house = House()
    yield house
    house.runner.close()
    structlog.reset_defaults()
    logging.getLogger("fournines").handlers = []


def outcomes(house):
    """
    Messages refused so far, by any reason.
    """
    return sum(
        sample.value
        for metric in house.registry.collect()
        for sample in metric.samples
        if sample.name == "fournines_alerts_received_total"
        and sample.labels["outcome"] not in {"new", "known"}
    )


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(body=_body)
def test_any_body_gets_an_answer_that_is_meant(house, body):
    """
    Never a 5xx, never an exception; what is refused is counted once.
    """
    before = outcomes(house)
    answer = house.request(body, GOOD)

    assert answer.status_code in MEANT
    refused = answer.status_code != 202
    assert outcomes(house) - before == refused
    assert ("refused" in answer.json()) == refused
    assert answer.text == plain(answer.text)


@settings(max_examples=200, deadline=None)
@given(
    header=st.text(
        alphabet=st.characters(min_codepoint=33, max_codepoint=255), max_size=80
    ),
    kind=st.sampled_from(["Bearer ", "bearer ", "Basic ", "", "Bearer t0k3n "]),
)
def test_no_forged_token_is_let_in(house, header, kind):
    """
    Whatever is not the token is refused with 401, or 429 when it comes too often.
    """
    raw = f"{kind}{header}".strip()
    if raw == "Bearer t0k3n":
        return
    forged = {
        "Authorization": raw.encode("latin-1"),
        "Content-Type": "application/json",
    }
    answer = house.request(a_message(an_alert("Forged")), forged)

    assert answer.status_code in {401, 429}
    assert all(record.name != "Forged" for record in house.store.inbox.pending(10_000))


@settings(max_examples=300, deadline=None)
@given(
    labels=st.dictionaries(
        st.text(min_size=1, max_size=50),
        st.text(max_size=200) | st.sampled_from(HOSTILE),
        max_size=8,
    ),
    name=st.text(min_size=1, max_size=50) | st.sampled_from(HOSTILE),
)
def test_records_carry_nothing_unseen(labels, name):
    """
    Past the border there is no control character and no half character; a place has a name that ours can have.
    """
    body = a_message(an_alert(labels={**labels, "alertname": name}))
    records = payload.parse(body.encode(), received_at=SystemClock().now())

    for record in records:
        for text in (record.name, *record.labels, *record.labels.values()):
            assert text == plain(text)
            text.encode()
        place = payload.subject(record)
        assert place is None or place.key == line(place.key)


@settings(max_examples=300, deadline=None)
@given(text=st.text() | st.sampled_from(HOSTILE))
def test_markdown_is_one_line_of_text(text):
    """
    Nothing in it opens a tag, a link, an image, code, or another row of a table.
    """
    shown = markdown(text)

    assert "\n" not in shown
    assert "<" not in shown
    assert shown == plain(shown)
    for position, letter in enumerate(shown):
        if letter in "|`[]":
            before = shown[:position]
            assert (len(before) - len(before.rstrip("\\"))) % 2 == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_through_a_case_to_people(text):
    """
    An alert's name in a case: the artifact keeps its rows, the log stays one line of JSON, a terminal meets no escape.
    """
    (record,) = payload.parse(
        a_message(an_alert(text)).encode(), received_at=SystemClock().now()
    )
    at = record.received_at
    case = Case(
        id="case-00000000",
        subject=Subject(platform="demo", service="shop"),
        opened_at=at,
        events=(CaseEvent(at=at, event="case_opened", text=record.name),),
        verdict=record.name,
    )
    artifact = case_text.verdict(case)
    assert artifact.partition("## What happened")[2].count("\n| ") == 3
    assert "<script" not in artifact
    assert "<img" not in artifact

    written = StringIO()
    log.configure(stream=written, as_json=True)
    log.get("door").info("case_opened", text=record.name)
    (one,) = written.getvalue().splitlines()
    assert json.loads(one)["text"] == record.name
    assert plain(one) == one

    screen = StringIO()
    Console(file=screen, force_terminal=False).print(record.name, markup=False)
    assert "\x1b" not in screen.getvalue()
