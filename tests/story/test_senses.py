"""
A lost sense is a case of its own, and what fails while the cloud's own services are away says nothing about the remedy.
"""

from __future__ import annotations

import pytest

from flows import healer_senses
from flows.healer_beds import Beds
from flows.senses import Sense, Senses
from fournines.cloud.errors import CloudUnreachable
from fournines.cloud.protocol import KEYSTONE
from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState, Diagnosis
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"


@pytest.fixture
def clinic(tmp_path):
    """
    A deployed service.
    """
    return Clinic(tmp_path)


def feel(clinic, rounds=3, seconds=1.0):
    """
    So many rounds of asking every sense.
    """
    for _ in range(rounds):
        clinic.clock.advance(seconds)
        clinic.senses.look_at_all()


def made(clinic):
    """
    Instances that were asked for.
    """
    return [c for c in clinic.cloud.calls if c.name == "ensure_instance"]


def quarantines(clinic):
    """
    Builds with a strike.
    """
    return [one for one in clinic.store.quarantines.all() if one.strikes]


class TestWithoutKeystone:
    """
    A member falls ill while Keystone is away.
    """

    def test_nothing_is_built_and_the_sick_member_gets_no_requests(self, clinic):
        """
        Known to be away: weight 0 is all that is done; nobody is paged, and the case is healed when Keystone is back.
        """
        clinic.cloud.take_away(KEYSTONE)
        feel(clinic)
        clinic.cloud.break_instance(SICK, Behaviour.HANG)
        (case,) = self.opened(clinic)
        with pytest.raises(CloudUnreachable):
            clinic.treat(case)

        waiting = clinic.store.cases.case(case.id)
        assert clinic.members()[SICK] == 0
        assert made(clinic) == []
        assert not waiting.state.ended
        assert "keystone" in waiting.events[-1].text

        clinic.cloud.give_back(KEYSTONE)
        feel(clinic, rounds=1)
        assert clinic.treat(waiting).state is CaseState.RECOVERED

    def test_a_build_that_failed_meanwhile_counts_against_nothing(self, clinic):
        """
        Not yet known to be away: the build ends in ERROR; neither the rung nor the image is blamed, however often it is tried.
        """
        clinic.cloud.break_instance(SICK, Behaviour.HANG)
        (case,) = self.opened(clinic)
        clinic.cloud.take_away(KEYSTONE)
        for _ in range(4):
            with pytest.raises(CloudUnreachable):
                clinic.treat(clinic.store.cases.case(case.id))

        kept = clinic.store.cases.case(case.id)
        assert len(made(clinic)) == 4
        assert "tried" not in kept.evidence
        assert quarantines(clinic) == []

        clinic.cloud.give_back(KEYSTONE)
        healed = clinic.treat(kept)
        assert healed.state is CaseState.RECOVERED
        assert clinic.plan_is_empty()

    def test_a_build_that_fails_while_all_answer_is_held_against_the_rung(self, clinic):
        """
        The counter-proof: with every service answering two failed builds end in a page.
        """
        clinic.cloud.break_image("debian-12")
        clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
        (case,) = self.opened(clinic)

        assert clinic.treat(case).state is CaseState.PAGED
        assert quarantines(clinic) != []

    def opened(self, clinic):
        """
        The member's case.
        """
        clinic.alert(SICK)
        return clinic.admissions.sort()


class TestLostSense:
    """
    What becomes of a sense that does not answer.
    """

    def test_is_a_case_until_it_answers_again(self, clinic):
        """
        Three questions on end without an answer open a case of diagnosis blind; the first answer closes it, with what was opened meanwhile.
        """
        clinic.cloud.take_away(KEYSTONE)
        feel(clinic, rounds=2)
        assert clinic.store.cases.cases(open_only=True) == ()
        feel(clinic, rounds=5)
        (case,) = clinic.store.cases.cases(open_only=True)
        assert (case.subject.key, case.diagnosis) == ("*/keystone", Diagnosis.BLIND)

        clinic.cloud.break_instance(SICK, Behaviour.HANG)
        clinic.alert(SICK)
        (other,) = clinic.admissions.sort()
        clinic.cloud.give_back(KEYSTONE)
        feel(clinic, rounds=1)

        closed = clinic.store.cases.case(case.id)
        assert closed.state is CaseState.RECOVERED
        assert other.id in closed.verdict

    def test_is_no_patient(self, clinic):
        """
        No healer takes the case of a sense to treat it.
        """
        clinic.cloud.take_away(KEYSTONE)
        feel(clinic)

        assert Beds(clinic.workshop, clinic.treat).adopt() == 0

    def test_stays_open_while_another_healer_misses_it(self, clinic):
        """
        Of two healers one sees: the case is the other's to close, until that one has been silent for a while.
        """
        sight = {"ours": "", "theirs": "cut off"}

        def healer(name):
            sense = Sense(name="eye", without="", ask=lambda: sight[name])
            return Senses(clinic.workshop, [sense])

        ours, theirs = healer("ours"), healer("theirs")
        clinic.clock.advance(61)
        for _ in range(4):
            clinic.clock.advance(1)
            theirs.look_at_all()
        clinic.clock.advance(1)
        ours.look_at_all()
        assert len(clinic.store.cases.cases(open_only=True)) == 1

        clinic.clock.advance(20)
        ours.look_at_all()
        assert clinic.store.cases.cases(open_only=True) == ()

    def test_is_told_once_when_it_is_lost_and_once_when_it_is_back(self, clinic):
        """
        However long it is away, and however often it is asked meanwhile; questions without news say nothing.
        """
        told = []
        sight: list[str | None] = [""]
        sense = Sense(
            name="alertmanager",
            without="deaf",
            ask=lambda: sight[0],
        )
        senses = Senses(
            clinic.workshop,
            [sense],
            lambda one, _said, out: told.append((one.name, out)),
        )
        for why in ("", "gone", None, "gone", "gone", None, "gone", "gone", ""):
            sight[0] = why
            clinic.clock.advance(1)
            senses.look_at_all()

        assert told == [("alertmanager", True), ("alertmanager", False)]

    def test_that_has_not_answered_yet_is_given_time_to_start(self, clinic):
        """
        Everything is started at once: for a minute a sense that never answered is unknown, neither lost nor there; then it is lost.
        """
        sense = Sense(name="eye", without="", ask=lambda: "not there")
        senses = Senses(clinic.workshop, [sense])
        for _ in range(10):
            clinic.clock.advance(5)
            senses.look_at_all()
        assert senses.out() == {}
        clinic.clock.advance(15)
        senses.look_at_all()

        assert senses.out() == {"eye": True}


def test_the_pulse_of_the_cloud_is_asked_for_by_service(clinic):
    """
    Each of the cloud's own services is a sense, and only those excuse a failed remedy.
    """
    clinic.cloud.take_away("octavia")
    feel(clinic, rounds=4, seconds=4)

    assert {n for n, out in clinic.senses.out().items() if out} == {"octavia"}
    assert clinic.senses.away() == "octavia"
    assert {s.name for s in healer_senses.of_cloud(clinic.workshop)} >= {"octavia"}
