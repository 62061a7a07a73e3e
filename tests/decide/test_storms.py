"""
Brakes that look at more than one member: tables and laws.
"""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.desired import HealingLimits
from fournines.model.refusal import Reason
from healing import brakes, replacement, storms
from healing.pattern import MemberState, Pattern
from healing.situation import MemberView, endpoint_floor, is_of_group
from tests.decide.slot_world import NOW, ZONES, a_situation, an_instance, name


def a_member(service: str, slot: int, *, well: bool | None, **known) -> MemberState:
    """
    A member of a service's group `web`, in the slot's zone and on a host of its own.
    """
    facts = {"zone": ZONES[slot % 3], "host": f"h{slot}", "silent": well is False}
    return MemberState(
        instance=f"demo-{service}-web-{slot}-g1",
        service=service,
        group="web",
        slot=slot,
        generation=1,
        well=well,
        **(facts | known),
    )


def a_pattern(*members: MemberState) -> Pattern:
    """
    The platform's members.
    """
    return Pattern(at=NOW, platform="demo", members=members)


def services(unwell: int, size: int, **known) -> Pattern:
    """
    So many services of one member each, the first of them unwell; each in a zone and on a host of its own.
    """
    return a_pattern(
        *(
            a_member(f"s{n}", n, well=n >= unwell, host=f"h{n}", zone=f"z{n}", **known)
            for n in range(size)
        )
    )


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        pytest.param(None, None, id="no-picture-no-objection"),
        pytest.param(services(4, 10), None, id="four-of-ten"),
        pytest.param(services(4, 8), None, id="half-but-only-four"),
        pytest.param(services(5, 10), Reason.PLATFORM_STORM, id="five-of-ten"),
        pytest.param(services(5, 11), None, id="five-of-eleven-is-under-half"),
        pytest.param(services(2, 2), Reason.PLATFORM_STORM, id="all-of-two"),
        pytest.param(services(1, 1), None, id="the-only-member-there-is"),
        pytest.param(
            a_pattern(*services(2, 2).members, a_member("s9", 9, well=None, zone="z9")),
            Reason.PLATFORM_STORM,
            id="who-is-not-known-is-no-help",
        ),
        pytest.param(
            a_pattern(*(a_member("shop", n, well=n % 3 != 0) for n in range(12))),
            None,
            id="a-zone-of-three-explains-itself",
        ),
        pytest.param(
            a_pattern(*(a_member("shop", n, well=n % 3 == 0) for n in range(12))),
            Reason.PLATFORM_STORM,
            id="two-zones-of-three-do-not",
        ),
    ],
)
def test_platform_storm(pattern, reason):
    """
    Half of the platform, or all of it, is a storm; a zone or host down as a whole is not.
    """
    found = storms.platform_storm(a_situation(unwell=1, pattern=pattern))

    assert reason == (found.reason if found else None)


def zoned(down: str, **known) -> Pattern:
    """
    Twelve members of three zones, one of which is silent.
    """
    return a_pattern(
        *(
            a_member("shop", n, well=ZONES[n % 3] != down, **known)
            for n in range(12)
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("unwell", "size", "pattern", "refused"),
    [
        pytest.param(3, 4, None, True, id="three-of-four"),
        pytest.param(
            2,
            2,
            a_pattern(
                a_member("shop", 0, well=False, host="h", zone="az1"),
                a_member("shop", 1, well=False, host="h", zone="az1"),
                *(a_member("other", n, well=True, zone="az2") for n in range(3)),
            ),
            False,
            id="both-on-a-dead-host-are-moved",
        ),
    ],
)
def test_a_group_storm_leaves_out_what_a_place_explains(unwell, size, pattern, refused):
    """
    Members whose whole host or zone is silent are no storm of their group.
    """
    situation = a_situation(unwell=unwell, size=size, pattern=pattern)

    assert refused == (storms.storm(situation) is not None)


@pytest.mark.parametrize(
    ("ago", "refused"),
    [
        pytest.param(None, False, id="no-storm"),
        pytest.param(0, True, id="now"),
        pytest.param(59, True, id="almost-a-minute-ago"),
        pytest.param(60, False, id="a-minute-ago"),
    ],
)
def test_after_the_storm(ago, refused):
    """
    Nothing is replaced until it has been calm for a minute; the case waits for it.
    """
    at = None if ago is None else NOW - timedelta(seconds=ago)
    found = brakes.objections(a_situation(storm_at=at))

    assert [Reason.CALMING] * refused == [refusal.reason for refusal in found]
    assert {refusal.reason for refusal in found} <= brakes.WAITING


@pytest.mark.parametrize(
    ("pattern", "volume_size_gb", "refused"),
    [
        pytest.param(None, 10, False, id="no-picture"),
        pytest.param(zoned("az2"), 10, False, id="its-volume-stands-elsewhere"),
        pytest.param(zoned("az1"), None, False, id="a-stateless-one-moves"),
        pytest.param(zoned("az1"), 10, True, id="its-volume-stands-there"),
    ],
)
def test_zone_outage(pattern, volume_size_gb, refused):
    """
    Slot 0 stands in az1: only what cannot be moved out of it waits for a person.
    """
    situation = a_situation(pattern=pattern, volume_size_gb=volume_size_gb)

    assert refused == (storms.zone_outage(situation) is not None)


def test_a_group_of_one_zone_cannot_leave_it():
    """
    Where the group may stand nowhere else, a person decides.
    """
    situation = a_situation(pattern=zoned("az1"))
    bound = situation.group.model_copy(update={"zones": ("az1",)})

    found = storms.zone_outage(dataclasses.replace(situation, group=bound))

    assert found.reason is Reason.ZONE_OUTAGE


@pytest.mark.parametrize(
    ("volume_size_gb", "unsettled", "refused"),
    [
        pytest.param(None, ("demo/shop/web/1",), False, id="stateless"),
        pytest.param(10, (), False, id="alone"),
        pytest.param(10, ("demo/shop/web/1",), True, id="another-is-not-settled"),
    ],
)
def test_stateful(volume_size_gb, unsettled, refused):
    """
    A service with volumes is changed one member at a time.
    """
    situation = a_situation(volume_size_gb=volume_size_gb, unsettled=unsettled)

    assert refused == (storms.stateful(situation) is not None)


@given(
    st.lists(st.sampled_from([True, False, None]), min_size=6, max_size=15),
    st.integers(0, 5),
)
def test_nothing_is_made_in_a_zone_that_looks_down(wells, subject_slot):
    """
    Whatever is unwell: a replacement's zone is one that does not look down, or there is none to choose.
    """
    pattern = a_pattern(
        *(a_member("shop", slot, well=well) for slot, well in enumerate(wells))
    )
    instances = tuple(
        an_instance(slot, zone=ZONES[slot % 3]) for slot in range(len(wells))
    )
    situation = a_situation(
        size=len(wells),
        pattern=pattern,
        subject_slot=subject_slot,
        instances=instances,
    )

    zone = replacement.of_slot(situation).zone

    assert zone not in pattern.zones_down()
    assert zone is not None or set(ZONES) <= set(pattern.zones_down())


def test_a_replacement_begun_in_a_zone_that_went_down_is_not_finished_there():
    """
    The next generation is made elsewhere instead.
    """
    bare = a_situation()
    begun = an_instance(0, generation=2, zone="az1")
    owner = begun.owner.model_copy(
        update={"digest": bare.service.instance(bare.group, 0, 2, "az1").owner.digest}
    )
    begun = begun.model_copy(update={"owner": owner})
    instances = (an_instance(0, zone="az1"), begun)

    calm = replacement.of_slot(a_situation(instances=instances))
    down = replacement.of_slot(a_situation(instances=instances, pattern=zoned("az1")))

    assert (calm.arriving, calm.zone) == (name(0, 2), "az1")
    assert down.arriving == name(0, 3)
    assert down.zone != "az1"


def shared_pool(own, others, minimum: int, their_minimum: int):
    """
    A pool that two groups of the service share; `own` and `others` say which members serve.
    """
    bare = a_situation(limits=HealingLimits(min_healthy=minimum))
    theirs = bare.group.model_copy(
        update={
            "name": "web-2",
            "healing": HealingLimits(min_healthy=their_minimum),
        }
    )
    views = [
        MemberView(f"demo-shop-{group}-{slot}-g1", int(serves), serves, serves)
        for group, states in (("web", own), ("web-2", others))
        for slot, serves in enumerate(states)
    ]
    return dataclasses.replace(
        bare,
        service=bare.service.model_copy(update={"groups": (bare.group, theirs)}),
        members=tuple(views),
    )


@pytest.mark.parametrize(
    ("own", "others", "refused"),
    [
        pytest.param([1, 1, 1], [1, 1], False, id="group-and-endpoint-have-enough"),
        pytest.param([1, 1], [1, 1, 1], True, id="the-group-has-not"),
        pytest.param([1, 1, 1], [0, 0], True, id="the-endpoint-has-not"),
        pytest.param([1, 1, 1, 1, 1], [0, 0], False, id="one-group-carries-both"),
    ],
)
def test_a_shared_pool_keeps_what_its_groups_promise_together(own, others, refused):
    """
    Two groups promise two members each: two others of the group must serve, and four of the pool.
    """
    situation = shared_pool([bool(x) for x in own], [bool(x) for x in others], 2, 2)

    assert endpoint_floor(situation.service, situation.group) == 4
    found = brakes.min_healthy(situation)
    assert refused == (found is not None)


@given(
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.lists(st.booleans(), max_size=6),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_no_objection_means_that_both_floors_hold(own, others, minimum, theirs):
    """
    When a serving member may be taken away, its group and its endpoint keep what was promised.
    """
    situation = shared_pool(own, others, minimum, theirs)
    if not situation.member.serving or brakes.min_healthy(situation) is not None:
        return

    assert sum(own) - 1 >= max(minimum, 1)
    assert sum(own) + sum(others) - 1 >= max(minimum + theirs, 1)


@pytest.mark.parametrize(
    ("instance", "is_own"),
    [
        pytest.param("demo-shop-web-1-g1", True, id="of-the-group"),
        pytest.param("demo-shop-web-2-1-g1", False, id="of-a-group-called-web-2"),
        pytest.param("demo-shop-webs-1-g1", False, id="of-a-group-called-webs"),
        pytest.param("demo-shop-web-1", False, id="a-slot"),
        pytest.param("stranger", False, id="a-stranger"),
    ],
)
def test_a_name_says_its_group(instance, is_own):
    """
    Groups whose names begin alike are told apart.
    """
    assert is_own == is_of_group(instance, a_situation().subject)


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        pytest.param(
            a_situation(pattern=services(5, 10)),
            Reason.PLATFORM_STORM,
            id="platform-storm",
        ),
        pytest.param(
            a_situation(pattern=zoned("az1"), volume_size_gb=10),
            Reason.ZONE_OUTAGE,
            id="zone-outage",
        ),
        pytest.param(
            a_situation(volume_size_gb=10, unsettled=("demo/shop/web/1",)),
            Reason.DISRUPTIONS,
            id="stateful",
        ),
        pytest.param(a_situation(storm_at=NOW), Reason.CALMING, id="calming"),
    ],
)
def test_these_brakes_are_asked_too(situation, reason):
    """
    Each stands among all that must have no objection.
    """
    assert reason in {refusal.reason for refusal in brakes.objections(situation)}
