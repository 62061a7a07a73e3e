"""
Engines that look around a member: their tables, and what must hold whatever the picture.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.case import Diagnosis, Subject
from fournines.model.probing import Answer, ProbeResult
from healing.diagnosis import diagnose, explain
from healing.pattern import MemberState, Pattern, Share
from healing.scene import BalancerState, Dependency, Scene
from tests.decide.slot_world import NOW, name
from tests.decide.test_diagnosis import evidence

SUBJECT = Subject(
    platform="demo", service="shop", group="web", slot=0, instance=name(0)
)
HUNG = evidence(("silent",) * 2, ("silent",) * 2, operating_status="ERROR")
BAD = evidence((500, 500), (500, 500), peers=(500, 500))
WELL = evidence((200, 200), (200, 200))


def members(text: str) -> tuple[MemberState, ...]:
    """
    "az1/h1:s" is a silent member on h1 in az1; `w` well, `b` bad answers, `?` unknown; `+` the old release, `!` never served, `*` seen by the LB.
    """
    made = []
    for slot, word in enumerate(text.split()):
        place, _, state = word.partition(":")
        zone, _, host = place.partition("/")
        made.append(
            MemberState(
                instance=name(slot),
                service="shop",
                group="web",
                slot=slot,
                generation=1,
                host=host or None,
                zone=zone or None,
                image="debian-12",
                digest="old" if "+" in state else "new",
                current="+" not in state,
                weight=1,
                well={"w": True, "?": None}.get(state[0], False),
                silent=state[0] == "s",
                balancer_alive="*" in state or state[0] == "w",
                served="!" not in state,
                created_at=NOW - timedelta(seconds=100 if "!" in state else 1000),
            )
        )
    return tuple(made)


def a_scene(text: str, **known) -> Scene:
    """
    The surroundings of the first member of a picture.
    """
    hosts = known.pop("hosts_down", frozenset())
    recalled = known.pop("recalled", frozenset())
    pattern = Pattern(NOW, "demo", members(text), hosts, recalled)
    return Scene(now=NOW, subject=SUBJECT, pattern=pattern, **known)


def explained(seen, scene):
    """
    What all engines make of it.
    """
    return explain(diagnose(seen), seen, scene)


def probe(status=None, seconds=0.01) -> ProbeResult:
    """
    A request through the load balancer; without a status it was not answered.
    """
    answer = Answer.STATUS if status else Answer.SILENT
    return ProbeResult(at=NOW, path="/", answer=answer, seconds=seconds, status=status)


def front(status="ACTIVE", probes=(), **known) -> BalancerState:
    """
    A load balancer's state.
    """
    return BalancerState(
        name="lb",
        provisioning_status=status,
        operating_status="ONLINE",
        probes=probes,
        **known,
    )


def below(service="db", depth=1, *, unwell=2, well=0, burning=False) -> Dependency:
    """
    A service below.
    """
    share = Share(unwell, well, 0)
    return Dependency(service, depth, share, burning=burning)


DEAD = (probe(), probe())
ERRORS = (probe(500), probe(500))


@pytest.mark.parametrize(
    ("seen", "scene", "diagnosis", "cause"),
    [
        pytest.param(
            HUNG,
            a_scene("a/1:s a/2:s b/3:w b/4:w c/5:w"),
            Diagnosis.ZONE_DOWN,
            "zone a",
            id="a-zone-falls-silent",
        ),
        pytest.param(
            HUNG,
            a_scene("a/1:s a/1:s b/3:w b/4:w c/5:w"),
            Diagnosis.HOST_DOWN,
            "host 1",
            id="one-host-of-it-is-no-zone",
        ),
        pytest.param(
            HUNG,
            a_scene("a/1:s b/3:w c/5:w", hosts_down=frozenset({"1"})),
            Diagnosis.HOST_DOWN,
            "host 1",
            id="the-cloud-calls-the-host-down",
        ),
        pytest.param(
            HUNG,
            a_scene("a/1:s b/3:w c/5:w", recalled=frozenset({"zone a"})),
            Diagnosis.ZONE_DOWN,
            "zone a",
            id="the-last-one-left-in-a-zone-that-fell",
        ),
        pytest.param(
            HUNG,
            a_scene("a/1:s a/2:w b/3:w", recalled=frozenset({"zone a"})),
            Diagnosis.HUNG,
            None,
            id="a-zone-that-is-back",
        ),
        pytest.param(
            HUNG, a_scene("a/1:s b/3:w c/5:w"), Diagnosis.HUNG, None, id="a-lone-member"
        ),
        pytest.param(
            HUNG,
            a_scene("a/1:s* a/2:b* b/3:w c/5:w"),
            Diagnosis.BLIND,
            "our way to zone a",
            id="only-we-do-not-reach-the-zone",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:b c/3:w", dependencies=(below(),)),
            Diagnosis.DEPENDENCY,
            "service db",
            id="what-it-needs-is-down",
        ),
        pytest.param(
            BAD,
            a_scene(
                "a/1:b b/2:b",
                dependencies=(below("db"), below("disk", 2), below("mail", well=9)),
            ),
            Diagnosis.DEPENDENCY,
            "service disk",
            id="the-lowest-that-is-down",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:b", dependencies=(below(well=5, burning=True),)),
            Diagnosis.DEPENDENCY,
            "service db",
            id="it-burns-although-members-look-well",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:w c/3:w", dependencies=(below(),)),
            Diagnosis.FAILING,
            None,
            id="one-that-suffers-alone-suffers-by-itself",
        ),
        pytest.param(
            evidence(("refused",) * 2, ("refused",) * 2),
            a_scene("a/1:s b/2:b", dependencies=(below(),)),
            Diagnosis.GONE,
            None,
            id="who-is-gone-is-gone-by-itself",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:b c/3:w+ a/4:w+"),
            Diagnosis.BAD_RELEASE,
            "release new of shop/web",
            id="all-of-the-new-release-none-of-the-old",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:w c/3:w+ a/4:w+"),
            Diagnosis.FAILING,
            None,
            id="one-new-one-serves",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:b", released_at=NOW - timedelta(minutes=9)),
            Diagnosis.BAD_RELEASE,
            "release new of shop/web",
            id="all-sick-soon-after-a-change",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:b", released_at=NOW - timedelta(minutes=11)),
            Diagnosis.FAILING,
            None,
            id="all-sick-long-after-a-change",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b! b/2:b! c/3:w a/4:w"),
            Diagnosis.BAD_RELEASE,
            "image debian-12",
            id="the-youngest-never-served",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b! b/2:b c/3:w a/4:w"),
            Diagnosis.FAILING,
            None,
            id="one-that-never-served-has-bad-luck",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w b/2:w", balancer=front("ERROR")),
            Diagnosis.BALANCER,
            "load balancer lb",
            id="octavia-calls-it-error",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w b/2:w", balancer=front(probes=DEAD)),
            Diagnosis.BALANCER,
            "load balancer lb",
            id="users-do-not-get-through",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w b/2:w", balancer=front(probes=(probe(), probe(200)))),
            Diagnosis.NOTHING,
            None,
            id="one-of-two-gets-through",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:s b/2:s", balancer=front(probes=DEAD)),
            Diagnosis.NOTHING,
            None,
            id="nobody-behind-it-is-well-either",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w b/2:w", balancer=front(probes=ERRORS)),
            Diagnosis.BALANCER,
            "load balancer lb",
            id="errors-though-every-member-is-well",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w b/2:b*", balancer=front(probes=ERRORS)),
            Diagnosis.NOTHING,
            None,
            id="errors-that-a-sick-member-in-rotation-answers",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w b/2:b", balancer=front(probes=ERRORS)),
            Diagnosis.BALANCER,
            "load balancer lb",
            id="errors-though-the-sick-member-is-out-of-rotation",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w b/2:b*", balancer=front(probes=DEAD)),
            Diagnosis.BALANCER,
            "load balancer lb",
            id="silence-is-no-answer-of-a-sick-member",
        ),
        pytest.param(
            BAD,
            a_scene("a/1:b b/2:w", balancer=front("ERROR")),
            Diagnosis.FAILING,
            None,
            id="a-sick-member-comes-first",
        ),
        pytest.param(
            WELL,
            a_scene(
                "a/1:w", flaps=tuple(NOW - timedelta(seconds=s) for s in (9, 6, 3))
            ),
            Diagnosis.FLAPPING,
            None,
            id="three-false-alarms-just-now",
        ),
        pytest.param(
            WELL,
            a_scene("a/1:w", flaps=(NOW - timedelta(hours=3),) * 3),
            Diagnosis.NOTHING,
            None,
            id="three-false-alarms-long-ago",
        ),
    ],
)
def test_engines_that_look_around(seen, scene, diagnosis, cause):
    """
    Each names the cause that the member's own evidence cannot show, and only then.
    """
    finding = explained(seen, scene)

    assert (finding.diagnosis, finding.cause) == (diagnosis, cause)
    assert finding.saw


def test_a_load_balancer_that_is_being_changed_is_looked_at_again():
    """
    What somebody works on is not judged: its own failover must not be raced.
    """
    pending = front("PENDING_UPDATE", probes=DEAD)

    assert explained(WELL, a_scene("a/1:w b/2:w", balancer=pending)).again


@given(
    st.lists(
        st.sampled_from(
            [
                f"{place}:{state}"
                for place in ("a/1", "a/2", "b/3", "c/4")
                for state in ("w", "s", "s*", "b", "b!", "b+", "w+", "?")
            ]
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([HUNG, BAD, WELL]),
    st.sampled_from([None, NOW - timedelta(minutes=1)]),
)
def test_nobody_says_that_a_place_is_down_where_somebody_is_well(words, seen, released):
    """
    Whatever the picture: a host or zone that is called down holds nobody well; a member that is well is never called sick.
    """
    scene = a_scene(" ".join(words), released_at=released)
    finding = explained(seen, scene)

    if finding.diagnosis is Diagnosis.ZONE_DOWN:
        assert not scene.pattern.in_zone(scene.member.zone).share.well
    if finding.diagnosis is Diagnosis.HOST_DOWN:
        assert not scene.pattern.on_host(scene.member.host).share.well
    if seen is WELL:
        assert finding.diagnosis in {Diagnosis.NOTHING, Diagnosis.BALANCER}
    if seen is BAD:
        assert finding.diagnosis in {Diagnosis.FAILING, Diagnosis.BAD_RELEASE}
