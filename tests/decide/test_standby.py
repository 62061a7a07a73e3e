"""
Pools by role: who answers in another role is well, and no more than that is read into it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.inventory import Member, Pool
from fournines.model.standby import STANDBY, standing_by
from fournines.planning.pools import gets_requests


def a_pool(role, **statuses):
    """A pool of one role, and what Octavia calls its members."""
    members = tuple(
        Member(
            id=f"{role}-{name}",
            name=name,
            address="10.0.0.1",
            port=1,
            weight=1,
            operating_status=status,
        )
        for name, status in statuses.items()
    )
    return Pool(id=str(role), name=f"pool-{role}", members=members, role=role)


def statuses(pools):
    """What the members are called, pool after pool."""
    return [[m.operating_status for m in pool.members] for pool in pools]


@pytest.mark.parametrize(
    ("primary", "replica", "read"),
    [
        pytest.param(
            a_pool("primary", a="ONLINE", b="ERROR"),
            a_pool("replica", a="ERROR", b="ONLINE"),
            [["ONLINE", STANDBY], [STANDBY, "ONLINE"]],
            id="each in its role",
        ),
        pytest.param(
            a_pool("primary", a="ERROR", b="ONLINE"),
            a_pool("replica", a="ERROR", b="ERROR"),
            [["ERROR", "ONLINE"], ["ERROR", STANDBY]],
            id="who answers nowhere is sick",
        ),
        pytest.param(
            a_pool("primary", a="OFFLINE", b="DRAINING"),
            a_pool("replica", a="ONLINE", b="ONLINE"),
            [["OFFLINE", "DRAINING"], ["ONLINE", "ONLINE"]],
            id="other words stay",
        ),
        pytest.param(
            a_pool(None, a="ERROR"),
            a_pool("replica", a="ONLINE"),
            [["ERROR"], ["ONLINE"]],
            id="a pool without a role is read as it is",
        ),
    ],
)
def test_standing_by(primary, replica, read):
    """ERROR in one role and ONLINE in another is STANDBY; nothing else changes."""
    assert statuses(standing_by((primary, replica))) == read


WORDS = st.sampled_from(["ONLINE", "ERROR", "OFFLINE", "DRAINING", "NO_MONITOR"])


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
def test_a_member_gets_requests_somewhere_or_nowhere(words):
    """Reading roles together makes nobody serve that no pool lets serve, and takes service from nobody."""
    names = [chr(ord("a") + n) for n in range(len(words))]
    before = (
        a_pool("primary", **{n: w[0] for n, w in zip(names, words, strict=True)}),
        a_pool("replica", **{n: w[1] for n, w in zip(names, words, strict=True)}),
    )
    after = standing_by(before)

    for name in names:
        was = [gets_requests(pool.member(name)) for pool in before]
        is_now = [gets_requests(pool.member(name)) for pool in after]
        assert any(was) == any(is_now)
        assert all(now or not then for then, now in zip(was, is_now, strict=True))
