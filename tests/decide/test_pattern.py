"""
What is sick together: hosts and zones that look down, and what must hold for any picture.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healing.pattern import MemberState, Pattern
from tests.decide.slot_world import NOW


def members(text: str) -> tuple[MemberState, ...]:
    """
    "az1/h1:s" is a silent member on host h1 in az1; `w` well, `b` answering badly, `?` not known.
    """
    made = []
    for number, word in enumerate(text.split()):
        place, _, state = word.partition(":")
        zone, _, host = place.partition("/")
        made.append(
            MemberState(
                instance=f"demo-shop-web-{number}-g1",
                service="shop",
                group="web",
                slot=number,
                generation=1,
                host=host or None,
                zone=zone or None,
                well={"w": True, "s": False, "b": False, "?": None}[state],
                silent=state == "s",
            )
        )
    return tuple(made)


def a_pattern(text: str, *, hosts_down: tuple[str, ...] = ()) -> Pattern:
    """
    A picture of a platform.
    """
    return Pattern(NOW, "demo", members(text), frozenset(hosts_down))


@pytest.mark.parametrize(
    ("text", "hosts_down", "hosts", "zones"),
    [
        pytest.param("a/h1:s a/h1:s b/h2:w b/h3:w c/h4:w", (), ["h1"], [], id="host"),
        pytest.param("a/h1:s b/h2:w c/h3:w", (), [], [], id="one-member-says-little"),
        pytest.param(
            "a/h1:s b/h2:w c/h3:w", ("h1",), ["h1"], [], id="unless-the-cloud-says-so"
        ),
        pytest.param(
            "a/h1:w b/h2:w c/h3:w", ("h1",), [], [], id="and-nobody-serves-there"
        ),
        pytest.param(
            "a/h1:s a/h1:w b/h2:w b/h3:w", (), [], [], id="one-that-serves-clears-it"
        ),
        pytest.param(
            "a/h1:s a/h1:? b/h2:w c/h3:w", (), [], [], id="the-unknown-do-not-count"
        ),
        pytest.param(
            "a/h1:b a/h1:b b/h2:w b/h3:w c/h4:w", (), [], [], id="bad-answers-are-alive"
        ),
        pytest.param(
            "a/h1:s a/h2:s b/h3:w b/h4:w c/h5:w", (), [], ["a"], id="zone-of-two-hosts"
        ),
        pytest.param(
            "a/h1:s a/h1:s b/h2:s b/h3:s c/h4:w c/h5:w",
            (),
            [],
            [],
            id="when-most-are-sick-no-place-is-the-cause",
        ),
        pytest.param(
            "a/h1:s a/h2:s a/h3:w b/h4:w c/h5:w", (), [], [], id="not-all-of-the-zone"
        ),
    ],
)
def test_places_that_look_down(text, hosts_down, hosts, zones):
    """
    A place is down when all that is known there is silent together, and most of what is elsewhere is well.
    """
    pattern = a_pattern(text, hosts_down=hosts_down)

    assert [h for h in pattern.hosts if pattern.host_is_down(h)] == hosts
    assert list(pattern.zones_down()) == zones


@given(
    st.lists(
        st.sampled_from(
            [
                f"{place}:{state}"
                for place in ("a/h1", "a/h2", "b/h3", "c/h4")
                for state in "wsb?"
            ]
        ),
        max_size=12,
    )
)
def test_what_is_down_holds_nobody_well_and_somewhere_most_are(words):
    """
    Whatever the picture: nobody well stands on what looks down, and the well outside outnumber the unwell.
    """
    pattern = a_pattern(" ".join(words))
    down = [
        *(pattern.on_host(h) for h in pattern.hosts if pattern.host_is_down(h)),
        *(pattern.in_zone(z) for z in pattern.zones_down()),
    ]

    for there in down:
        rest = pattern.without(there).share
        assert not there.share.well
        assert there.share.unwell >= 2
        assert rest.well > rest.unwell
    share = pattern.share
    assert share.known + share.unknown == len(pattern.members)


def test_an_unknown_host_is_no_place():
    """
    Members whose host nobody knows do not stand on one host.
    """
    pattern = a_pattern(":s :s b/h1:w b/h2:w c/h3:w")

    assert pattern.on_host(None).members == ()
    assert not pattern.host_is_down(None)
