"""
Asking for another size of what is deployed.
"""

import pytest

from tasks import sizing
from tests.decide.stateful_world import a_stateful


def test_no_even_quorum_is_asked_for():
    """Who scales a quorum to a size that stands no more losses is told so before anything is read or touched."""
    with pytest.raises(sizing.SizeRefused) as caught:
        sizing.resized(a_stateful(3), "shop", 4, None)

    assert str(caught.value) == (
        "shop of platform demo is not scaled to 4: 4 members stand no more losses than 3; take 3 or 5"
    )


@pytest.mark.parametrize("count", [1, 5])
def test_what_a_person_may_insist_on_is_asked_for(count):
    """A size that is only unwise is the plan's business."""
    asked = sizing.resized(a_stateful(3), "shop", count, None)

    assert asked.service("shop").groups[0].count == count
