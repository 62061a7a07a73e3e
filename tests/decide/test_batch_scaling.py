"""
How many workers a batch service should have.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.batch.scaling import Bounds, Load, Worker, wanted

BOUNDS = Bounds(workers_min=1, workers_max=8, cpus=2, idle_seconds=60)


def workers(*idle: float | None) -> tuple[Worker, ...]:
    """Workers 0, 1, ... that had nothing to do for so long."""
    return tuple(Worker(number=n, idle_seconds=s) for n, s in enumerate(idle))


@pytest.mark.parametrize(
    ("now", "load", "there", "yielding_to", "size"),
    [
        pytest.param(1, Load(), workers(90), "", (1, "as it should be"), id="at-rest"),
        pytest.param(
            1, Load(waiting=7), workers(5), "", (4, "wait for 7 CPUs"), id="a-queue"
        ),
        pytest.param(
            2, Load(waiting=100), (), "", (8, "(workers_max)"), id="more-than-allowed"
        ),
        pytest.param(
            8,
            Load(waiting=9, running=16),
            (),
            "",
            (8, "(workers_max)"),
            id="at-the-limit",
        ),
        pytest.param(
            4,
            Load(running=2),
            workers(None, 70, 70, 61),
            "",
            (1, "3 had nothing to do for 60 s"),
            id="the-idle-ones-at-the-end-go",
        ),
        pytest.param(
            3,
            Load(running=2),
            workers(70, 70, None),
            "",
            (3, "as it should be"),
            id="one-at-the-end-works",
        ),
        pytest.param(
            3, Load(), workers(70, 70, 30), "", (3, "as it should be"), id="not-yet"
        ),
        pytest.param(0, Load(), (), "", (1, "fewer than workers_min"), id="below"),
        pytest.param(9, Load(), (), "", (8, "more than workers_max"), id="above"),
        pytest.param(
            4,
            Load(waiting=100),
            workers(None, None, None, None),
            "shop",
            (1, "shop burns its budget for want of room, and batch yields"),
            id="batch-yields",
        ),
    ],
)
def test_the_size_follows_the_queue(now, load, there, yielding_to, size):
    """
    Each size with its reason.
    """
    found = wanted(now, load, there, BOUNDS, yielding_to=yielding_to)

    assert found.count == size[0]
    assert size[1] in found.why


@given(
    now=st.integers(0, 20),
    waiting=st.integers(0, 500),
    running=st.integers(0, 40),
    idle=st.lists(st.one_of(st.none(), st.floats(0, 1e5)), max_size=20),
)
def test_no_size_is_out_of_bounds_and_no_worker_at_work_goes(
    now, waiting, running, idle
):
    """
    The size stays between its limits, and whoever works within them is never scaled away.
    """
    there = workers(*idle[:now])
    load = Load(waiting=waiting, running=running)
    size = wanted(now, load, there, BOUNDS)

    assert BOUNDS.workers_min <= size.count <= BOUNDS.workers_max
    busy = [w.number for w in there if w.idle_seconds is None]
    assert all(n < size.count for n in busy if n < BOUNDS.workers_max)
