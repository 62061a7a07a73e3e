"""
Patroni's configuration against what a service asks for.
"""

import hypothesis
import pytest
from hypothesis import strategies as st

from blueprints.catalogue import all_blueprints
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

    assert tuple(c.said for c in settings.in_words(patch, {})) == (
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


@pytest.mark.parametrize(
    ("setting", "restarts", "leader_first"),
    [
        pytest.param({"work_mem": "8MB"}, False, False, id="at-once"),
        pytest.param({"shared_buffers": "1GB"}, True, False, id="by-a-restart"),
        pytest.param({"max_connections": 300}, True, False, id="raised"),
        pytest.param({"max_connections": 100}, True, True, id="lowered"),
        pytest.param({}, True, True, id="back-to-the-default"),
    ],
)
def test_which_settings_need_a_restart(setting, restarts, leader_first):
    """What replicas may not have less of than the primary goes to the primary first when it is, or may be, lowered."""
    present = changed(max_connections=200)
    asked = {"max_connections": 200, **setting} if setting else {}
    patch = settings.patch(asked, present, synchronous=True)
    (found,) = settings.in_words(patch, present)

    assert (found.restarts, found.leader_first) == (restarts, leader_first)


def test_the_blueprint_marks_the_same_settings():
    """What the catalogue tells an owner of restarts is what the plan goes by."""
    schema = all_blueprints()["postgres"].parameters["properties"]["settings"]
    marked = {n for n, one in schema["properties"].items() if one.get("restart")}

    assert marked == settings.RESTARTING
