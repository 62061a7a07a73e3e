"""
When a remedy is believed, when it has failed, and when too little was seen to say either.
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.probing import Answer, ProbeResult
from healing import verify
from healing.evidence import MemberEvidence
from healing.verify import Look, Verdict
from tests.decide.slot_world import NOW, name


def looks(text: str) -> list[Look]:
    """
    One look a second: + good, - bad, ? nothing seen.
    """
    words = {"+": True, "-": False, "?": None}
    return [
        Look(NOW + timedelta(seconds=second), words[letter], letter)
        for second, letter in enumerate(text)
    ]


@pytest.mark.parametrize(
    ("seen", "now", "verdict"),
    [
        pytest.param("", 1, Verdict.WAIT, id="nothing-yet"),
        pytest.param("+++", 3, Verdict.WAIT, id="good-but-not-long"),
        pytest.param("++++++", 6, Verdict.RECOVERED, id="good-for-five-seconds"),
        pytest.param("+++-++", 6, Verdict.WAIT, id="a-bad-look-starts-again"),
        pytest.param("+++?++", 6, Verdict.RECOVERED, id="a-closed-eye-breaks-nothing"),
        pytest.param("+????+", 6, Verdict.WAIT, id="two-looks-prove-little"),
        pytest.param("-" * 30, 30, Verdict.WAIT, id="bad-but-in-time"),
        pytest.param("-" * 31, 31, Verdict.NOT_RECOVERED, id="bad-when-time-is-up"),
        pytest.param("?" * 29 + "--", 31, Verdict.NOT_RECOVERED, id="bad-at-last"),
        pytest.param("-" * 29 + "+-", 31, Verdict.WAIT, id="one-bad-look-may-be-old"),
        pytest.param("--" + "?" * 29, 31, Verdict.WAIT, id="bad-long-ago"),
        pytest.param("?" * 29 + "++", 31, Verdict.WAIT, id="good-but-few-when-late"),
        pytest.param("?" * 28 + "+" * 6, 34, Verdict.RECOVERED, id="good-though-late"),
        pytest.param("?" * 31, 31, Verdict.WAIT, id="nothing-seen-yet"),
        pytest.param("?" * 41, 41, Verdict.UNSEEN, id="nothing-seen-at-all"),
        pytest.param("--" + "?" * 39, 41, Verdict.UNSEEN, id="bad-only-long-ago"),
        pytest.param("?" * 40 + "+", 41, Verdict.UNSEEN, id="one-good-look-at-last"),
        pytest.param("?????", 400, Verdict.WAIT, id="looks-that-take-a-minute"),
        pytest.param("+-" * 21, 42, Verdict.NOT_RECOVERED, id="good-and-bad-by-turns"),
    ],
)
def test_verify(seen, now, verdict):
    """
    Recovered means: good looks only, for the soak time, and enough of them.
    """
    assert verdict == verify.judge(
        looks(seen),
        now=NOW + timedelta(seconds=now),
        soak_seconds=5,
        deadline=NOW + timedelta(seconds=30),
    )


@given(st.text("+-?", max_size=20), st.integers(1, 6))
def test_recovered_never_follows_a_bad_look(seen, soak):
    """
    Whatever was seen: the last thing really seen was good, or it is not recovered.
    """
    verdict = verify.judge(
        looks(seen), now=NOW, soak_seconds=soak, deadline=NOW + timedelta(hours=1)
    )

    if verdict is Verdict.RECOVERED:
        assert seen.replace("?", "").endswith("+++")


@given(st.text("+-?", max_size=70))
def test_only_what_was_seen_fails_a_remedy(seen):
    """
    Not recovered: there was a bad look after the deadline. However little is seen, there is a verdict in the end.
    """
    begun = len(seen)
    verdict = verify.judge(
        looks(seen),
        now=NOW + timedelta(seconds=begun),
        soak_seconds=5,
        deadline=NOW + timedelta(seconds=30),
    )

    if verdict is Verdict.NOT_RECOVERED:
        assert "-" in seen[30:]
    if verdict is Verdict.WAIT:
        assert begun < 40


LOST = ProbeResult(at=NOW, path="/", answer=Answer.UNREACHABLE, seconds=0.0)


def member(*, status=200, seconds=0.01, **known: Any):
    """
    Fresh evidence of a member after a remedy.
    """
    probe = ProbeResult(
        at=NOW, path="/", answer=Answer.STATUS, seconds=seconds, status=status
    )
    peer = probe.model_copy(update={"seconds": 0.01, "status": 200})
    facts = {
        "instance_status": "ACTIVE",
        "operating_status": "ONLINE",
        "weight": 1,
        "user_probes": (probe,),
        "peer_probes": (peer,),
    }
    return MemberEvidence(at=NOW, instance=name(0, 2), **(facts | known))


@pytest.mark.parametrize(
    ("evidence", "good"),
    [
        pytest.param(member(), True, id="all-well"),
        pytest.param(member(status=500), False, id="an-error"),
        pytest.param(member(seconds=1.0), False, id="slower-than-its-peers"),
        pytest.param(
            member(seconds=1.0, users_wait=False), True, id="a-page-no-user-waits-for"
        ),
        pytest.param(member(operating_status="ERROR"), False, id="out-of-the-pool"),
        pytest.param(member(operating_status=None), False, id="in-no-pool"),
        pytest.param(member(weight=0), False, id="drained"),
        pytest.param(
            member(operating_status=None, weight=None, pooled=False),
            True,
            id="its-group-belongs-in-no-pool",
        ),
        pytest.param(
            member(status=500, operating_status=None, pooled=False),
            False,
            id="an-error-in-no-pool",
        ),
        pytest.param(member(user_probes=()), True, id="only-the-load-balancer-knows"),
        pytest.param(
            member(user_probes=(), operating_status="ERROR"), None, id="nobody-knows"
        ),
        pytest.param(
            member(user_probes=(), instance_status=None), False, id="it-is-not-there"
        ),
        pytest.param(
            member(user_probes=(LOST,), peer_probes=(LOST,), peer_statuses=("ONLINE",)),
            None,
            id="our-way-to-all-of-them-is-cut",
        ),
        pytest.param(member(user_probes=(LOST,)), False, id="only-it-is-silent"),
    ],
)
def test_look(evidence, good):
    """
    One look is good, bad, or nothing.
    """
    assert good is verify.judge_look(evidence).good
