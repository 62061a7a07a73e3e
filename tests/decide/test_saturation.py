"""
When slowness is load: the saturation engine's table.
"""

import pytest

from fournines.model.case import Diagnosis
from healing.scene import Load
from tests.decide.test_diagnosis import evidence
from tests.decide.test_engines_around import a_scene, explained

SLOW = evidence(("silent", "silent"), (200, 200), peers=("silent", 1.2, "silent"))


@pytest.mark.parametrize(
    ("seen", "rate", "usual", "diagnosis"),
    [
        pytest.param(
            SLOW, 200, 100, Diagnosis.SATURATED, id="slow-under-twice-the-load"
        ),
        pytest.param(SLOW, 140, 100, Diagnosis.UNKNOWN, id="an-ordinary-afternoon"),
        pytest.param(SLOW, None, 100, Diagnosis.UNKNOWN, id="load-not-measured"),
        pytest.param(SLOW, 200, None, Diagnosis.UNKNOWN, id="usual-load-not-known"),
        pytest.param(SLOW, 5, 0, Diagnosis.UNKNOWN, id="a-service-nobody-used-yet"),
        pytest.param(
            evidence(("silent", "silent"), (200, 200), peers=(0.01, 0.01, 0.01)),
            200,
            100,
            Diagnosis.GREY_SLOW,
            id="slow-alone-is-no-load",
        ),
        pytest.param(
            evidence((503, 503), (503, 503), peers=(503, 503, 200, 503, 503)),
            300,
            100,
            Diagnosis.SATURATED,
            id="all-send-users-away",
        ),
        pytest.param(
            evidence(
                ("refused",) * 2,
                ("refused",) * 2,
                peers=("silent",) * 4,
                operating_status="ERROR",
            ),
            300,
            100,
            Diagnosis.GONE,
            id="dead-is-not-busy",
        ),
    ],
)
def test_saturation(seen, rate, usual, diagnosis):
    """
    All wait, and much more is asked than usual: otherwise, or unmeasured, it is no load.
    """
    load = Load(request_rate=rate, usual_rate=usual)

    found = explained(seen, a_scene("a/1:b b/2:b", load=load)).diagnosis
    assert found is diagnosis
