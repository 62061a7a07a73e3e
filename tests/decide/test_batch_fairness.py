"""
Fair share between tenants: usage that fades, its factor, and the order that follows.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.batch import fairness
from blueprints.batch.fairness import FORGOTTEN, STEP, TOP, Sharing, Usage
from blueprints.batch.reading import Record, Stage

HOUR = 3600.0
SHARING = Sharing(tenants={"red": 3, "blue": 1}, usage_half_life_hours=1)


def a_task(**told) -> Record:
    """One of the tenant red."""
    given = {"number": 1, "job": "a-1", "tenant": "red", "stage": Stage.RUNNING}
    return Record.model_validate(given | told)


@pytest.mark.parametrize(
    ("red", "blue", "factors"),
    [
        pytest.param(0, 0, (1.0, 1.0), id="nobody-used-anything"),
        pytest.param(75, 25, (0.5, 0.5), id="each-its-share"),
        pytest.param(100, 0, (2 ** (-4 / 3), 1.0), id="red-alone"),
        pytest.param(0, 100, (1.0, 2**-4), id="blue-alone"),
        pytest.param(50, 50, (2 ** (-2 / 3), 2**-2), id="as-much-with-less-share"),
    ],
)
def test_the_factor_is_slurms_classic_one(red, blue, factors):
    """
    2 to the power of minus the part of usage by the part of shares.
    """
    usage = Usage(at=0, seconds={"red": red, "blue": blue, "gone": 1e9})
    found = [fairness.factor(name, usage, SHARING) for name in ("red", "blue")]

    assert found == pytest.approx(factors)
    assert fairness.factor("gone", usage, SHARING) == 0.0
    assert fairness.priority("gone", usage, SHARING) == 1


@pytest.mark.parametrize(
    ("record", "seconds"),
    [
        pytest.param(a_task(began_at=90), 10, id="ran-since-the-last-look"),
        pytest.param(a_task(began_at=104, cpus=3), 18, id="with-three-cpus"),
        pytest.param(
            a_task(stage=Stage.ENDED, began_at=50, ended_at=104), 4, id="ended-since"
        ),
        pytest.param(
            a_task(stage=Stage.ENDED, began_at=50, ended_at=99), 0, id="ended-before"
        ),
        pytest.param(
            a_task(stage=Stage.ENDED, ended_at=105), 0, id="cancelled-before-it-began"
        ),
        pytest.param(a_task(stage=Stage.WAITING, began_at=105), 0, id="waits"),
        pytest.param(a_task(began_at=90, tenant=""), 0, id="of-nobody"),
    ],
)
def test_what_tasks_took_since_the_last_look_is_added(record, seconds):
    """
    CPU seconds between two looks, each counted once; nothing is added for the same moment twice.
    """
    before = Usage(at=100)
    after = fairness.used(before, [record], 110, SHARING)

    assert after.seconds.get("red", 0) == seconds
    assert fairness.used(after, [record], 110, SHARING) == after


def test_what_was_used_fades_by_half_lives():
    """
    Half of it after one, a quarter after two.
    """
    usage = Usage(at=0, seconds={"red": 100})
    once = fairness.used(usage, [], HOUR, SHARING)
    twice = fairness.used(once, [], 2 * HOUR, SHARING)

    assert (once.seconds["red"], twice.seconds["red"]) == (50, 25)


def test_what_has_faded_to_nothing_is_forgotten():
    """
    An hour's half-life, and a month without work: both tenants are equal again.
    """
    usage = Usage(at=0, seconds={"red": 100})
    later = fairness.used(usage, [], 30 * 24 * HOUR, SHARING)

    assert later.seconds == {}
    assert fairness.priority("red", later, SHARING) == TOP


def test_only_what_waits_with_another_priority_is_changed():
    """
    Jobs of ours, not those that run or are nearly right; those that would begin first come first.
    """
    usage = Usage(at=0, seconds={"red": 75, "blue": 25})
    right = TOP // 2
    waiting = {"stage": Stage.WAITING}
    records = [
        a_task(number=1, priority=1),
        a_task(number=2, priority=1, **waiting),
        a_task(number=3, priority=TOP, tenant="blue", **waiting),
        a_task(number=4, priority=right - STEP + 1, **waiting),
        a_task(number=5, priority=1, job="", **waiting),
    ]
    found = fairness.changes(records, usage, SHARING)

    assert [(one.number, one.priority) for one in found] == [(3, right), (2, right)]
    many = [a_task(number=n, priority=n, **waiting) for n in range(1, 1000)]
    first = fairness.changes(many, usage, SHARING)
    assert [one.number for one in first] == list(range(999, 899, -1))


@given(
    used=st.dictionaries(
        st.sampled_from("abcd"), st.floats(FORGOTTEN, 1e12), max_size=4
    ),
    shares=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 1000), min_size=2),
)
def test_who_used_less_of_its_share_never_comes_later(used, shares):
    """
    Priorities follow usage by share, and Slurm holds nobody for ever.
    """
    sharing, usage = Sharing(tenants=shares), Usage(at=0, seconds=used)
    by_need = sorted(shares, key=lambda name: used.get(name, 0.0) / shares[name])
    found = [fairness.priority(name, usage, sharing) for name in by_need]

    assert found == sorted(found, reverse=True)
    assert all(1 <= one <= TOP for one in found)
