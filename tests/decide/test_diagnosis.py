"""
The engines' decision tables, and what must hold for any evidence.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.case import Diagnosis
from fournines.model.probing import Answer, ProbeResult
from healing.diagnosis import diagnose
from healing.diagnosis.kinds import SICK
from healing.evidence import Measures, MemberEvidence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = {
    "refused": Answer.REFUSED,
    "silent": Answer.SILENT,
    "unreachable": Answer.UNREACHABLE,
}


def probes(path: str, *words: str | float) -> tuple[ProbeResult, ...]:
    """
    200 is a status, 1.2 a good answer after so many seconds, a word how it was not answered.
    """
    made = []
    for number, word in enumerate(words):
        at = NOW + timedelta(seconds=0.3 * number)
        if isinstance(word, str):
            made.append(ProbeResult(at=at, path=path, answer=WORDS[word], seconds=0.8))
        elif isinstance(word, float):
            made.append(
                ProbeResult(
                    at=at, path=path, answer=Answer.STATUS, seconds=word, status=200
                )
            )
        else:
            made.append(
                ProbeResult(
                    at=at, path=path, answer=Answer.STATUS, seconds=0.01, status=word
                )
            )
    return tuple(made)


def evidence(user=(), health=(), *, peers=(200, 200), ratio=None, **known: Any):
    """
    A member that the cloud calls ACTIVE and the load balancer ONLINE, unless said otherwise.
    """
    facts = {"instance_status": "ACTIVE", "operating_status": "ONLINE", "weight": 1}
    return MemberEvidence(
        at=NOW,
        instance="demo-shop-web-0-g1",
        user_probes=probes("/", *user),
        health_probes=probes("/healthz", *health),
        peer_probes=probes("/", *peers),
        measures=Measures(at=NOW, error_ratio=ratio) if ratio is not None else None,
        **(facts | known),
    )


@pytest.mark.parametrize(
    ("seen", "diagnosis"),
    [
        pytest.param(
            evidence(instance_status=None, user=("refused",), health=("refused",)),
            Diagnosis.GONE,
            id="the-cloud-knows-no-such-instance",
        ),
        pytest.param(
            evidence(("silent",) * 2, ("silent",) * 2, instance_status="SHUTOFF"),
            Diagnosis.GONE,
            id="nova-says-shutoff",
        ),
        pytest.param(
            evidence((200, 200), (200, 200), instance_status="SHUTOFF"),
            Diagnosis.NOTHING,
            id="nova-says-shutoff-but-it-serves",
        ),
        pytest.param(
            evidence((), (), instance_status="ERROR", fault="No valid host"),
            Diagnosis.GONE,
            id="nova-says-error-and-nothing-could-be-asked",
        ),
        pytest.param(
            evidence(("refused",) * 2, ("refused",) * 2),
            Diagnosis.GONE,
            id="nobody-listens-though-nova-says-active",
        ),
        pytest.param(
            evidence(("unreachable",) * 2, ("refused",) * 2),
            Diagnosis.GONE,
            id="no-way-there-and-peers-answer",
        ),
        pytest.param(
            evidence(("refused",), (200,)),
            Diagnosis.UNKNOWN,
            id="one-refusal-is-noise",
        ),
        pytest.param(
            evidence(("silent",) * 2, ("silent",) * 2),
            Diagnosis.HUNG,
            id="silent-on-both-paths",
        ),
        pytest.param(
            evidence(("silent",) * 2, ("silent", "refused")),
            Diagnosis.HUNG,
            id="a-hang-whose-backlog-overflows",
        ),
        pytest.param(
            evidence(("silent",), ("silent",), operating_status="ERROR", peers=()),
            Diagnosis.HUNG,
            id="no-peers-but-the-load-balancer-agrees",
        ),
        pytest.param(
            evidence(
                ("unreachable",) * 2,
                ("unreachable",) * 2,
                operating_status="ERROR",
                peers=(),
                front_probes=probes("/", "unreachable", "silent"),
            ),
            Diagnosis.BLIND,
            id="not-even-the-load-balancer-is-to-be-reached",
        ),
        pytest.param(
            evidence(
                ("unreachable",) * 2,
                ("unreachable",) * 2,
                operating_status="ERROR",
                peers=(),
                front_probes=probes("/", 503, 503),
            ),
            Diagnosis.GONE,
            id="unreachable-and-the-load-balancer-answers-for-it",
        ),
        pytest.param(
            evidence((500, 500), (500, 500)),
            Diagnosis.FAILING,
            id="500s-with-a-failing-health-check",
        ),
        pytest.param(
            evidence((200, 200), (503, 503)),
            Diagnosis.FAILING,
            id="only-the-health-check-fails",
        ),
        pytest.param(
            evidence((500, 500), (500, 200)),
            Diagnosis.GREY_ERRORS,
            id="a-health-check-that-came-back-leaves-the-users-errors",
        ),
        pytest.param(
            evidence((500, 500), (200, 200)),
            Diagnosis.GREY_ERRORS,
            id="two-errors-behind-a-green-health-check",
        ),
        pytest.param(
            evidence((200, 500), (200, 200), ratio=0.4),
            Diagnosis.GREY_ERRORS,
            id="one-error-of-ours-and-many-at-the-load-balancer",
        ),
        pytest.param(
            evidence((200, 500), (200, 200)),
            Diagnosis.UNKNOWN,
            id="one-error-alone",
        ),
        pytest.param(
            evidence((200, 200), (200, 200), ratio=0.4),
            Diagnosis.UNKNOWN,
            id="errors-at-the-load-balancer-alone",
        ),
        pytest.param(
            evidence((1.0, 1.1), (200, 200)),
            Diagnosis.GREY_SLOW,
            id="users-wait-behind-a-quick-health-check",
        ),
        pytest.param(
            evidence(("silent", "silent"), (200, 200)),
            Diagnosis.GREY_SLOW,
            id="so-slow-that-we-gave-up",
        ),
        pytest.param(
            evidence((1.0, 1.1), (200, 200), users_wait=False),
            Diagnosis.NOTHING,
            id="a-page-that-no-user-waits-for",
        ),
        pytest.param(
            evidence((1.0, 1.1), (200, 200), peers=(0.9, 0.9)),
            Diagnosis.NOTHING,
            id="all-are-slow-so-the-member-is-not-the-cause",
        ),
        pytest.param(
            evidence((0.1, 0.1), (200, 200)),
            Diagnosis.NOTHING,
            id="ten-times-slower-yet-quick",
        ),
        pytest.param(
            evidence((200, 200), (200, 200), ratio=0.0),
            Diagnosis.NOTHING,
            id="a-flap",
        ),
        pytest.param(
            evidence(("silent",) * 2, ("silent",) * 2, peers=("silent",) * 3),
            Diagnosis.BLIND,
            id="nobody-answers-us-yet-the-load-balancer-is-content",
        ),
        pytest.param(
            evidence(("silent",) * 2, ("silent",) * 2, peers=()),
            Diagnosis.BLIND,
            id="no-peers-and-the-load-balancer-is-content",
        ),
        pytest.param(
            evidence(cloud_read=False, instance_status=None, operating_status=None),
            Diagnosis.BLIND,
            id="neither-cloud-nor-probe",
        ),
        pytest.param(
            evidence((), (), peers=()),
            Diagnosis.UNKNOWN,
            id="no-probe-is-no-evidence",
        ),
    ],
)
def test_diagnosis(seen, diagnosis):
    """
    Each constellation of evidence has one name.
    """
    assert diagnosis == diagnose(seen).diagnosis


WORD = st.sampled_from([200, 500, 503, 404, 0.01, 1.2, "silent", "refused"])
ANY = st.builds(
    lambda user, health, peers, ratio, status, operating: evidence(
        user,
        health,
        peers=peers,
        ratio=ratio,
        instance_status=status,
        operating_status=operating,
    ),
    st.lists(WORD, max_size=4),
    st.lists(WORD, max_size=4),
    st.lists(WORD, max_size=4),
    st.none() | st.floats(0, 1),
    st.sampled_from(["ACTIVE", "PAUSED", "REBOOT"]),
    st.sampled_from(["ONLINE", "ERROR", "DRAINING", None]),
)


@given(ANY)
def test_nothing_is_called_sick_without_two_bad_samples_one_of_them_ours(seen):
    """
    Whatever the evidence: while Nova does not call it dead, sickness needs own bad probes, and two bad samples in all.
    """
    finding = diagnose(seen)

    if finding.diagnosis in SICK:
        peers = seen.peer_seconds
        slow = [p for p in seen.user_probes if peers is not None and p.seconds > 0.25]
        ours = [p for p in seen.probes if not p.good or p in slow]
        measured = seen.error_ratio is not None and seen.error_ratio > 0.2
        assert ours
        assert len(ours) + measured >= 2


@given(ANY)
def test_a_well_member_is_never_called_sick(seen):
    """
    Two or more good and quick probes on both paths, and nothing else: no engine says sick.
    """
    well = all(probe.good and probe.seconds < 0.25 for probe in seen.probes)
    if well and len(seen.user_probes) >= 2 and len(seen.health_probes) >= 2:
        assert diagnose(seen).diagnosis in {Diagnosis.NOTHING, Diagnosis.UNKNOWN}


@given(ANY)
def test_absent_probes_are_no_sickness(seen):
    """
    Without a probe of our own and with Nova content, nothing is said about the member.
    """
    unseen = seen.model_copy(update={"user_probes": (), "health_probes": ()})

    assert diagnose(unseen).diagnosis not in SICK
