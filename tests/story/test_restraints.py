"""
Pauses and maintenance windows, from the alert to the verdict.
"""

from datetime import timedelta

import pytest

from flows.case_book import CaseBook
from flows.treatment import Treatment
from fournines.cloud.simulated import Behaviour, Scenario
from fournines.cloud.simulated.scenario import UNLIMITED
from fournines.model.case import CaseState, Subject
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.pause import Pause
from fournines.model.refusal import Reason
from tasks import deployment, pausing, reconciliation
from tasks.sizing import ServiceUnknown
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"
BEFORE = {f"demo-shop-web-{slot}-g1": 1 for slot in range(4)}


@pytest.fixture
def clinic(tmp_path):
    """
    A service of four members that all serve.
    """
    return Clinic(tmp_path)


def in_maintenance(clinic: Clinic, seconds: float) -> None:
    """
    A window of the service opens now.
    """
    now = clinic.clock.now()
    window = MaintenanceWindow(begins=now, until=now + timedelta(seconds=seconds))
    service = clinic.platform.service("shop")
    clinic.store.registry.put_service(
        service.model_copy(update={"maintenance": (window,)}), at=now
    )
    clinic.view.refresh()


@pytest.mark.parametrize("place", ["shop", "shop/web", "demo-shop-web-1", SICK])
def test_a_pause_keeps_healings_hands_off(clinic, place):
    """
    However the place is named: not even a weight is changed until the pause has ended, and then the member is healed.
    """
    subject = pausing.subject(clinic.store.registry, place)
    until = clinic.clock.now() + timedelta(hours=2)
    clinic.store.pauses.put(
        Pause(subject=subject, by="ann", at=clinic.clock.now(), until=until)
    )
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert CaseState.REFUSED is case.state
    assert [refusal.reason for refusal in case.refusals] == [Reason.PAUSED]
    assert (clinic.members(), clinic.changes()) == (BEFORE, [])

    clinic.settle(7200)
    clinic.view.refresh()
    (case,) = clinic.heal(clinic.admissions.remind())
    assert CaseState.RECOVERED is case.state


def test_a_pause_of_one_slot_leaves_the_others_to_healing(clinic):
    """
    What is not paused is healed as ever.
    """
    subject = pausing.subject(clinic.store.registry, "demo-shop-web-2")
    clinic.store.pauses.put(Pause(subject=subject, by="ann", at=clinic.clock.now()))
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert CaseState.RECOVERED is case.state


def test_a_window_allows_the_weight_and_nothing_else(clinic):
    """
    A sick member gets no requests meanwhile; it is replaced once the window has ended.
    """
    in_maintenance(clinic, 3600)
    clinic.cloud.break_instance(SICK, Behaviour.GREY_ERRORS, sticky=True)
    clinic.alert(SICK, "MemberErrors")
    (case,) = clinic.heal()

    assert CaseState.REFUSED is case.state
    assert [refusal.reason for refusal in case.refusals] == [Reason.MAINTENANCE]
    assert (clinic.members(), clinic.changes()) == (BEFORE | {SICK: 0}, [])

    clinic.settle(3600)
    clinic.view.refresh()
    (case,) = clinic.heal(clinic.admissions.remind())
    assert CaseState.RECOVERED is case.state


def test_a_flap_in_a_window_gets_its_weight_back(clinic):
    """
    Giving back what a first move took is no maintenance matter.
    """
    in_maintenance(clinic, 3600)
    clinic.alert(SICK)
    assert clinic.members()[SICK] == 0
    (case,) = clinic.heal()

    assert CaseState.RECOVERED is case.state
    assert clinic.members() == BEFORE


def test_reconcile_passes_by_what_people_work_on(clinic):
    """
    Neither in a window nor while any part is paused does the timer put back what is missing.
    """
    clinic.cloud.vanish(SICK)
    in_maintenance(clinic, 600)
    (skipped,) = reconciliation.reconcile(clinic.workshop)
    assert "in maintenance" in skipped.skipped

    clinic.settle(600)
    slot = Subject(platform="demo", service="shop", group="web", slot=3)
    clinic.store.pauses.put(Pause(subject=slot, by="ann", at=clinic.clock.now()))
    (skipped,) = reconciliation.reconcile(clinic.workshop)
    assert "paused by ann" in skipped.skipped
    assert clinic.changes() == []

    clinic.store.pauses.lift(slot.key)
    (done,) = reconciliation.reconcile(clinic.workshop)
    assert done.result.outcome.ok
    assert clinic.plan_is_empty()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        pytest.param("shp", "did you mean 'shop'", id="no-service"),
        pytest.param("shop/wob", "did you mean 'web'", id="no-group"),
        pytest.param("demo-shop-web-9", "did you mean 'demo-shop-web-", id="no-slot"),
    ],
)
def test_a_place_that_is_not_there(clinic, place, said):
    """
    A slip of the pen pauses nothing and is answered with what there is.
    """
    with pytest.raises(ServiceUnknown, match=said):
        pausing.subject(clinic.store.registry, place)


def test_a_slot_that_flaps_is_left_in_peace_until_it_is_calm(clinic):
    """
    Three false alarms in a row move its weight; the fourth does not, and after a calm time an alarm is trusted again.
    """
    moves = []
    for _ in range(4):
        clinic.cloud.calls.clear()
        clinic.alert(SICK)
        moves.append([call.name for call in clinic.cloud.calls].count("set_weight"))
        clinic.heal()
        clinic.settle(90)
        clinic.view.refresh()
    clinic.settle(2400)
    clinic.cloud.calls.clear()
    clinic.alert(SICK)
    moves.append([call.name for call in clinic.cloud.calls].count("set_weight"))

    assert moves == [1, 1, 1, 0, 1]
    assert clinic.changes() == []


def test_a_flapping_slot_that_falls_ill_is_healed(clinic):
    """
    Damping keeps alarms' word from counting, not two samples of our own.
    """
    for _ in range(3):
        clinic.alert(SICK)
        clinic.heal()
        clinic.settle(90)
        clinic.view.refresh()
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.alert(SICK)
    assert clinic.members()[SICK] == 1
    (case,) = clinic.heal()

    assert CaseState.RECOVERED is case.state
    assert SICK not in clinic.members()


def test_a_bad_build_is_held_back_from_healing_deploys_and_reconcile(clinic):
    """
    After two sick replacements no third one is made by anybody, until somebody releases the build.
    """
    clinic.cloud.break_image("debian-12")
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    (held,) = clinic.store.quarantines.all()
    assert (len(held.strikes), held.held_at is not None) == (2, True)
    assert Reason.QUARANTINE in {refusal.reason for refusal in case.refusals}
    assert clinic.changes().count("ensure_instance") == 2

    clinic.cloud.vanish("demo-shop-web-3-g1")
    clinic.settle(700)
    (reconciled,) = reconciliation.reconcile(clinic.workshop)
    assert "in quarantine" in reconciled.sentence()
    refused = deployment.deploy(clinic.workshop, clinic.platform)
    assert {r.reason for r in refused.refusals} == {Reason.QUARANTINE}
    assert clinic.changes().count("ensure_instance") == 2

    clinic.cloud.world.bad_images.clear()
    clinic.store.quarantines.release(held.key)
    assert deployment.deploy(clinic.workshop, clinic.platform).ok
    assert "demo-shop-web-3-g2" in clinic.members()


def test_a_success_in_between_clears_the_strikes(clinic):
    """
    One sick replacement and then one that serves: chance, and forgotten.
    """
    clinic.cloud.break_image("debian-12")
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.alert(SICK)
    struck = []

    def perform(step, work):
        if step.id == "ensure-instance/demo-shop-web-1-g3":
            struck.extend(clinic.store.quarantines.all())
            clinic.cloud.world.bad_images.clear()
        return work()

    (opened,) = clinic.admissions.sort()
    book = CaseBook(clinic.workshop, opened)
    case = Treatment(clinic.ward, book, performer=perform).run()

    assert CaseState.RECOVERED is case.state
    assert [len(build.strikes) for build in struck] == [1]
    assert clinic.store.quarantines.all() == ()


def test_without_room_nothing_is_begun(tmp_path):
    """
    The quota is asked before a replacement's first create: none is tried, and the old instance is restarted in its place.
    """
    limits = UNLIMITED.model_copy(update={"instances": 4})
    clinic = Clinic(tmp_path, scenario=Scenario(limits=limits))
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert CaseState.RECOVERED is case.state
    assert Reason.QUOTA in {refusal.reason for refusal in case.refusals}
    assert "ensure_instance" not in clinic.changes()
    assert clinic.members() == BEFORE


def test_a_copy_of_our_tags_is_left_alone(clinic):
    """
    An instance under our name and with our tags, which is not the one that was made: hands off.
    """
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    clinic.store.registry.record_resource(
        "demo", "instance", SICK, "the-one-we-made", at=clinic.clock.now()
    )
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert [refusal.reason for refusal in case.refusals] == [Reason.NOT_OURS]
    assert clinic.changes() == []
