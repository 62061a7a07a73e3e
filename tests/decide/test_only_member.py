"""
A stateful service of one member: what may be done to it, and by whose word.
"""

from fournines.model.contents import Contents
from fournines.model.refusal import Reason
from fournines.planning.graph import ordered
from fournines.planning.plan import Purpose
from tests.decide.planned_world import with_groups
from tests.decide.stateful_world import StatefulWorld, a_stateful
from tests.decide.test_stateful import SLOTS, told

A = "demo-shop-web-0"
ONE = a_stateful(1)
NEW = a_stateful(1, image="debian-13")


def deployed():
    """A single member that is well."""
    world = StatefulWorld()
    world.perform(world.plan(ONE, insist=True))
    assert world.plan(ONE).empty
    return world


def test_one_alone_is_restarted_where_it_is():
    """Nobody is there to hand over to, and whoever deployed a single member has taken its pauses."""
    one = a_stateful(1)
    world = StatefulWorld()
    world.perform(world.plan(one, insist=True))
    world.contents = Contents(changes=(SLOTS,))

    plan = world.plan(one)

    assert [step.kind for step in plan.steps] == [
        "apply-contents",
        "restart-member",
        "await-member",
    ]
    assert not plan.refusals
    assert world.perform(plan).plan(one).empty


def test_replacing_it_asks_a_person_and_says_what_it_costs():
    """
    Without a word nothing is done, and the sentence names the outage and what else there is to do.
    """
    plan = deployed().plan(NEW)

    assert plan.empty
    (refusal,) = plan.refusals
    assert refusal.reason is Reason.APPROVAL
    assert refusal.detail == (
        "demo-shop-web-0 is to be replaced (slot 0 has an instance of an older specification), and it is the only member of shop: nobody is served for about "
        "28 s; deploy with --force when that may be, or scale it to 3 first"
    )


def test_with_a_persons_word_it_is_replaced():
    """
    It hands over to nobody, goes, and its successor comes onto its volume; the plan's own words say what that costs.
    """
    world = deployed()

    plan = world.plan(NEW, insist=True)

    kinds = ("prepare-leave", "delete-instance", "ensure-instance", "await-member")
    assert [kind for kind, _ in told(plan, *kinds)] == list(kinds)
    leave = ordered(plan.steps)[0]
    assert leave.alone
    assert "nobody is served for about 28 s" in leave.why
    assert not plan.refusals
    assert world.perform(plan).plan(NEW).empty


def test_on_silence_not_even_force_takes_it_away():
    """
    Whoever says nothing of itself may be at its recovery; whether it is sick is healing's business.
    """
    world = deployed()
    world.known.clear()

    plan = world.plan(NEW, insist=True)

    assert plan.empty
    assert [refusal.reason for refusal in plan.refusals] == [Reason.EVIDENCE_MISSING]


def test_force_for_a_size_is_none_for_an_outage():
    """
    Whoever scales three to one and changes the image asks for the outage in a deploy of its own.
    """
    world = StatefulWorld().settled(a_stateful(3))

    plan = world.plan(NEW, insist=True)

    assert not any(getattr(step, "alone", False) for step in plan.steps)


def test_the_timer_takes_no_outage():
    """
    The reconcile insists on what was insisted on before, and nobody has taken this.
    """
    plan = deployed().plan(NEW, insist=True, purpose=Purpose.RECONCILE)

    assert plan.empty
    assert [refusal.reason for refusal in plan.refusals] == [Reason.APPROVAL]


def test_without_a_volume_its_data_goes_with_it():
    """
    A cache without persistence comes back empty: whoever says yes has read that.
    """
    one, new = (with_groups(platform, volume_size_gb=None) for platform in (ONE, NEW))
    world = StatefulWorld()
    world.perform(world.plan(one, insist=True))
    world.whole.add(A)

    (refusal,) = world.plan(new).refusals

    assert "and what it holds is lost with it" in refusal.detail
