"""
Nobody gets a login that the service it leads to is not known to let in: not by a deploy, not by a rotation, not by hand.
"""

from __future__ import annotations

import pytest

from fournines.model.contents import ContentChange
from fournines.model.refusal import Reason
from fournines.planning.plan import Purpose
from tasks import credentials, deployment, rotation
from tasks.credentials import CredentialsRefused
from tasks.operators import ClusterRefused, ClusterSilent
from tests.contract.operator_rig import a_stateful_platform
from tests.unwind.harness import PLATFORM, World, a_platform

pytestmark = pytest.mark.usefixtures("nothing_concealed")

QUEUE = "queue 'paid' of vhost 'main' is a classic queue, not a quorum one: empty and delete it"
BEFORE = "#cloud-config\nwrite_files: [{path: /etc/login, content: app}]\n"
AFTER = """#cloud-config
write_files:
  - {path: /etc/login, content: "@{login:db/login-app}"}
  - {path: /etc/password, content: "@{secret:db/login-app}"}
"""
OFFERS = {"user": "@{login:db/login-app}", "password": "@{secret:db/login-app}"}
LACKS = ContentChange(said="user app.a", login="app.a")


def asked(user_data: str):
    """
    A service that others log in to, and one that does.
    """
    holder = a_stateful_platform().services[0].model_copy(update={"offers": OFFERS})
    platform = a_platform(user_data=user_data)
    user = platform.services[0].model_copy(update={"depends_on": ("db",)})
    return platform.model_copy(update={"services": (holder, user)})


def deployed(user_data: str = BEFORE) -> World:
    """
    Both stand; with `BEFORE` as a release left them that had one password per user.
    """
    world = World()
    result = deployment.deploy(world.workshop(), asked(user_data))
    assert result.ok, result.sentence()
    return world


def generations(world):
    """
    Those of the instances that log in.
    """
    every = world.cloud.inventory(PLATFORM, "shop").instances
    return {one.owner.generation for one in every}


def opposed(world):
    """
    A queue is another than declared.
    """
    world.operator.opposed = QUEUE


def silent(world):
    """
    Nobody answers.
    """
    world.operator.silent = True


def lacking(world):
    """
    The login is to be made yet.
    """
    world.operator.lacking = (LACKS,)


@pytest.mark.parametrize("only", [None, "shop"])
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        pytest.param(opposed, ("db", "app", QUEUE), id="a-queue-is-another"),
        pytest.param(silent, ("db cannot be asked", "try again"), id="silence"),
    ],
)
def test_nobody_is_rolled_to_a_login_that_is_not_known_to_be_let_in(
    trouble, words, only
):
    """
    The first deploy after an upgrade does nothing, says why, and asks for nothing that a healer could hand out.
    """
    world = deployed()
    trouble(world)

    result = deployment.deploy(world.workshop(), asked(AFTER), only=only)

    assert result.outcome is None
    (said,) = [r.detail for r in result.refusals if r.reason is Reason.LOGIN]
    assert all(word in said for word in words)
    assert generations(world) == {1}
    known = world.store.registry.platform(PLATFORM).service("shop")
    assert known.groups[0].user_data == BEFORE


def test_a_login_that_is_to_be_made_is_made_before_it_is_handed_out():
    """
    A deploy of the user alone is refused with the way; one of both makes the login first.
    """
    world = deployed()
    lacking(world)

    alone = deployment.deploy(world.workshop(), asked(AFTER), only="shop")
    both = deployment.deploy(world.workshop(), asked(AFTER))

    assert "db lacks user app.a; deploy db first" in alone.sentence()
    assert both.ok, both.sentence()
    assert generations(world) == {2}


def test_whoever_has_the_login_is_filled_up_whatever_is_wrong():
    """
    A member that is missing comes back: others of its group are proof that the login is let in.
    """
    world = deployed(AFTER)
    opposed(world)
    gone = world.cloud.inventory(PLATFORM, "shop").instances[0].name
    world.cloud.delete_instance(gone, deadline_seconds=60)

    result = deployment.deploy(
        world.workshop(), asked(AFTER), purpose=Purpose.RECONCILE
    )

    assert result.outcome is not None
    assert result.outcome.ok
    assert len(world.cloud.inventory(PLATFORM, "shop").instances) == 2


def test_the_timer_brings_back_the_rest():
    """
    What it may not roll it leaves; a member missing elsewhere comes back all the same.
    """
    world = deployed()
    deployment.record_desired(world.workshop(), asked(AFTER), None)
    opposed(world)
    gone = world.cloud.inventory(PLATFORM, "db").instances[0].name
    world.cloud.delete_instance(gone, deadline_seconds=60)

    result = deployment.deploy(
        world.workshop(), asked(AFTER), purpose=Purpose.RECONCILE
    )

    assert Reason.LOGIN in {r.reason for r in result.refusals}
    assert len(world.cloud.inventory(PLATFORM, "db").instances) == 3
    assert generations(world) == {1}


@pytest.mark.parametrize(
    ("trouble", "error", "said"),
    [
        pytest.param(opposed, ClusterRefused, QUEUE, id="a-queue-is-another"),
        pytest.param(silent, ClusterSilent, "try again", id="silence"),
    ],
)
def test_a_rotation_makes_no_login_that_would_not_be_let_in(trouble, error, said):
    """
    It is refused before there is a new version: an instance healed just then gets what is let in.
    """
    world = deployed(AFTER)
    trouble(world)

    with pytest.raises(error, match=said):
        rotation.rotate_credentials(world.workshop(), "db")

    assert world.store.secrets.versions(PLATFORM)["db/login-app"] == 1


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        pytest.param(opposed, QUEUE, id="a-queue-is-another"),
        pytest.param(silent, "cannot be asked", id="silence"),
        pytest.param(lacking, "deploy db first", id="to-be-made"),
    ],
)
def test_nobody_is_handed_a_login_that_is_not_let_in(trouble, said):
    """
    And what was not shown can still be shown, once, when it is.
    """
    world = deployed(AFTER)
    known = world.store.registry.platform(PLATFORM)
    trouble(world)

    with pytest.raises(CredentialsRefused, match=said):
        credentials.hand_out(world.workshop(), known, "db")
    world.operator.opposed, world.operator.silent, world.operator.lacking = (
        "",
        False,
        (),
    )

    assert credentials.hand_out(world.workshop(), known, "db")["user"] == "app.a"
