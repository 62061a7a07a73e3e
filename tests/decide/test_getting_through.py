"""
Whether users get through a load balancer: what its address, its own measures and its members say.
"""

import pytest

from fournines.model.case import Diagnosis
from healing.diagnosis.balancer import users_get_through
from healing.scene import Load
from tests.decide.test_engines_around import (
    DEAD,
    WELL,
    a_scene,
    explained,
    front,
    probe,
)


@pytest.mark.parametrize(
    ("door", "load", "through"),
    [
        pytest.param(front(probes=(probe(), probe(200))), Load(), True, id="we-do"),
        pytest.param(front(probes=(probe(503),)), Load(), False, id="it-refuses-us"),
        pytest.param(
            front(probes=DEAD), Load(request_rate=9.0), True, id="it-passes-requests-on"
        ),
        pytest.param(front(probes=DEAD), Load(), None, id="only-our-own-eyes"),
        pytest.param(
            front(probes=DEAD),
            Load(usual_rate=200.0, arriving_rate=4.0),
            False,
            id="members-hear-nobody",
        ),
        pytest.param(
            front(probes=DEAD),
            Load(usual_rate=200.0, arriving_rate=190.0),
            True,
            id="members-hear-users",
        ),
        pytest.param(
            front(probes=DEAD),
            Load(usual_rate=2.0, arriving_rate=0.0),
            None,
            id="too-quiet-to-tell",
        ),
    ],
)
def test_whether_users_get_through(door, load, through):
    """
    Our own failed requests are a witness, never the only one.
    """
    assert users_get_through(door, load) is through


def test_a_load_balancer_that_passes_requests_on_is_well():
    """
    Our own way to its address is cut; its users are served.
    """
    scene = a_scene(
        "a/1:w b/2:w", balancer=front(probes=DEAD), load=Load(request_rate=50.0)
    )

    assert explained(WELL, scene).diagnosis is Diagnosis.NOTHING
