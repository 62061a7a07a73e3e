"""
Patroni's configuration against what a service asks for.
"""

import hypothesis
import pytest
from hypothesis import strategies as st

from blueprints.postgres import settings

GOOD = {
    **settings.PATRONI,
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    "postgresql": {
        "use_slots": True,
        "parameters": {**settings.BASE, "wal_log_hints": "on"},
    },
}


def changed(**parameters):
    """The good configuration with other parameters of PostgreSQL; None takes one out."""
    there = {**GOOD["postgresql"]["parameters"], **parameters}
    kept = {name: value for name, value in there.items() if value is not None}
    return {**GOOD, "postgresql": {**GOOD["postgresql"], "parameters": kept}}


@pytest.mark.parametrize(
    ("asked", "present", "patch"),
    [
        pytest.param({}, GOOD, {}, id="nothing to do"),
        pytest.param(
            {"work_mem": "8MB"},
            GOOD,
            {"postgresql": {"parameters": {"work_mem": "8MB"}}},
            id="a new setting",
        ),
        pytest.param(
            {"shared_buffers": "1GB"},
            GOOD,
            {"postgresql": {"parameters": {"shared_buffers": "1GB"}}},
            id="over our base",
        ),
        pytest.param(
            {},
            changed(shared_buffers="1GB"),
            {"postgresql": {"parameters": {"shared_buffers": "64MB"}}},
            id="back to our base",
        ),
        pytest.param(
            {},
            changed(work_mem="8MB"),
            {"postgresql": {"parameters": {"work_mem": None}}},
            id="back to the default",
        ),
        pytest.param(
            {"jit": False, "shared_preload_libraries": ["auto_explain", "x"]},
            changed(jit="off"),
            {
                "postgresql": {
                    "parameters": {"shared_preload_libraries": "auto_explain,x"}
                }
            },
            id="spelled as PostgreSQL does",
        ),
        pytest.param(
            {},
            {**GOOD, "ttl": 30, "synchronous_mode": False},
            {"ttl": 8, "synchronous_mode": True},
            id="what somebody turned by hand",
        ),
        pytest.param({}, changed(wal_keep_size="1GB"), {}, id="not ours to take back"),
    ],
)
def test_patch(asked, present, patch):
    """Only what differs is told, and what is no longer asked for is taken back."""
    assert settings.patch(asked, present, synchronous=True) == patch


def test_in_words():
    """A patch reads as clauses."""
    patch = {"ttl": 8, "postgresql": {"parameters": {"jit": "off", "work_mem": None}}}

    assert settings.in_words(patch) == (
        "jit is off",
        "ttl is 8",
        "work_mem is the default",
    )


@hypothesis.given(
    st.dictionaries(
        st.sampled_from(sorted(settings.OPEN)),
        st.one_of(st.booleans(), st.integers(), st.sampled_from(["8MB", "1GB"])),
    ),
    st.dictionaries(st.sampled_from(sorted(settings.OPEN)), st.sampled_from(["a", 1])),
    st.booleans(),
)
def test_a_patch_settles(asked, there, synchronous):
    """Applied as Patroni applies it (None deletes), a patch leaves nothing to do."""
    present = changed(**there)
    patch = settings.patch(asked, present, synchronous=synchronous)
    told = {**present, **patch}
    parameters = {
        **present["postgresql"]["parameters"],
        **patch.get("postgresql", {}).get("parameters", {}),
    }
    kept = {name: value for name, value in parameters.items() if value is not None}
    told["postgresql"] = {**present["postgresql"], "parameters": kept}

    assert settings.patch(asked, told, synchronous=synchronous) == {}
