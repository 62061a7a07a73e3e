"""
From the first sign to the verdict: every fault class, and every reason not to act, on the simulated cloud.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState, Diagnosis
from fournines.model.refusal import Reason
from tests.story.clinic import Clinic, a_service

SICK = "demo-shop-web-1-g1"
NEW = "demo-shop-web-1-g2"
BEFORE = {f"demo-shop-web-{slot}-g1": 1 for slot in range(4)}
AFTER = {name: 1 for name in BEFORE if name != SICK} | {NEW: 1}


@pytest.fixture
def clinic(tmp_path):
    """
    A service of four members that all serve.
    """
    clinic = Clinic(tmp_path)
    assert clinic.members() == BEFORE
    return clinic


@pytest.mark.parametrize(
    ("behaviour", "alert", "diagnosis"),
    [
        pytest.param(Behaviour.KILL, "ProbeFail", Diagnosis.GONE, id="kill"),
        pytest.param(Behaviour.HANG, "ProbeFail", Diagnosis.HUNG, id="hang"),
        pytest.param(Behaviour.ERRORS, "MemberErrors", Diagnosis.FAILING, id="500s"),
        pytest.param(
            Behaviour.GREY_ERRORS,
            "MemberErrors",
            Diagnosis.GREY_ERRORS,
            id="grey-errors",
        ),
        pytest.param(
            Behaviour.GREY_SLOW, "MemberSlow", Diagnosis.GREY_SLOW, id="grey-slow"
        ),
    ],
)
def test_each_fault_is_replaced_and_verified(clinic, behaviour, alert, diagnosis):
    """
    The sick member gets no requests at once, its replacement serves, the old one is gone, the case says so, and no plan is left.
    """
    clinic.cloud.break_instance(SICK, behaviour, sticky=True)
    clinic.settle(1)
    clinic.alert(SICK, alert)

    assert clinic.members()[SICK] == 0
    (case,) = clinic.heal()

    assert (CaseState.RECOVERED, diagnosis) == (case.state, case.diagnosis)
    assert clinic.members() == AFTER
    assert clinic.cloud.world.instances.keys() == AFTER.keys()
    assert case.fault_at <= case.first_action_at <= case.redundancy_at <= case.closed_at
    assert case.verdict
    assert case.evidence["before"]
    assert clinic.plan_is_empty()


def test_who_belongs_in_no_pool_is_judged_by_its_own_answers(tmp_path):
    """
    A worker that no load balancer knows is healed, and its case ends: nobody waits for a weight that it never has.
    """
    pooled = a_service()
    group = pooled.groups[0].model_copy(update={"memberships": ()})
    apart = {"groups": (group,), "load_balancers": (), "floating_ips": ()}
    clinic = Clinic(tmp_path, service=pooled.model_copy(update=apart))
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.GONE)
    assert clinic.plan_is_empty()


def test_a_flap_gets_its_weight_back(clinic):
    """
    Nothing wrong when looked at: only the weight went and came back.
    """
    clinic.alert(SICK)
    assert clinic.members()[SICK] == 0
    (case,) = clinic.heal()

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.NOTHING)
    assert clinic.members() == BEFORE
    assert clinic.changes() == []


def test_blind_does_nothing_and_calls_a_person(clinic):
    """
    When our own way to all members is cut, nobody is replaced.
    """
    clinic.eyes.closed = True
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert (case.state, case.diagnosis) == (CaseState.PAGED, Diagnosis.BLIND)
    assert [refusal.reason for refusal in case.refusals] == [Reason.BLIND]
    assert clinic.changes() == []


def test_healing_needs_no_prometheus(clinic):
    """
    Our own probes are enough to act on and to verify with.
    """
    clinic.gauges.down = True
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert CaseState.RECOVERED is case.state


def test_a_storm_changes_no_instance(clinic):
    """
    All sick at once: members are not the cause; weight 0 goes only as far as min-healthy, nothing is replaced.
    """
    for slot in range(4):
        clinic.cloud.break_instance(f"demo-shop-web-{slot}-g1", Behaviour.HANG)
        clinic.alert(f"demo-shop-web-{slot}-g1")
    cases = clinic.heal()

    assert {CaseState.PAGED} == {case.state for case in cases}
    assert all(Reason.STORM in {r.reason for r in case.refusals} for case in cases)
    assert clinic.changes() == []
    assert sum(weight > 0 for weight in clinic.members().values()) == 2


def test_two_faults_at_once_are_healed_one_after_the_other(clinic):
    """
    Half of the group sick, the other half enough: each in its turn, and everything is whole again.
    """
    for slot, behaviour in ((1, Behaviour.HANG), (2, Behaviour.GREY_ERRORS)):
        clinic.cloud.break_instance(f"demo-shop-web-{slot}-g1", behaviour, sticky=True)
        clinic.alert(f"demo-shop-web-{slot}-g1")
    cases = clinic.heal()

    assert [case.state for case in cases] == [CaseState.RECOVERED] * 2
    assert set(clinic.members().values()) == {1}
    assert clinic.plan_is_empty()


def test_news_of_a_slot_that_was_just_given_up_waits(clinic):
    """
    A case that ended without recovery is not opened anew at once; after a rest what still fires is taken up again.
    """
    for slot in range(4):
        clinic.cloud.break_instance(f"demo-shop-web-{slot}-g1", Behaviour.HANG)
    clinic.alert(SICK)
    clinic.heal()
    clinic.alert(SICK, "MemberStalled")

    assert clinic.admissions.sort() == ()
    clinic.settle(61)
    for slot in (0, 2, 3):
        clinic.cloud.mend(f"demo-shop-web-{slot}-g1")
    clinic.settle(5)
    clinic.view.refresh()
    (case,) = clinic.heal(clinic.admissions.remind())
    assert CaseState.RECOVERED is case.state


def test_min_healthy_keeps_a_member_that_serves_until_its_replacement_does(tmp_path):
    """
    Two members, both needed: the slow one keeps its requests until the new one serves.
    """
    clinic = Clinic(tmp_path, service=a_service(count=2, min_healthy=2))
    clinic.cloud.break_instance(SICK, Behaviour.GREY_SLOW, sticky=True)
    clinic.alert(SICK, "MemberSlow")

    assert clinic.members()[SICK] == 1
    (case,) = clinic.heal()

    assert CaseState.RECOVERED is case.state
    assert clinic.members() == {"demo-shop-web-0-g1": 1, NEW: 1}


def test_switched_off_means_off(clinic):
    """
    With the master switch off not even a weight is changed.
    """
    clinic.store.switches.set(
        "healing", on=False, by="ops", why="drill", at=clinic.clock.now()
    )
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert CaseState.REFUSED is case.state
    assert [refusal.reason for refusal in case.refusals] == [Reason.SWITCHED_OFF]
    assert clinic.members() == BEFORE


def test_a_locked_instance_is_left_alone(clinic):
    """
    Somebody works on it: hands off.
    """
    clinic.cloud.lock_instance(SICK)
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert [refusal.reason for refusal in case.refusals] == [Reason.LOCKED]
    assert clinic.changes() == []


def test_an_alert_about_another_platform_opens_no_case(clinic):
    """
    What no registry knows is not ours.
    """
    clinic.alert(SICK, platform="theirs")

    assert clinic.heal() == ()
    assert clinic.store.inbox.pending() == ()


def test_many_alerts_of_one_slot_are_one_case(clinic):
    """
    Every alert of a slot belongs to its one open case.
    """
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    for name in ("ProbeFail", "AppScrapeDown", "LBMemberDown"):
        clinic.alert(SICK, name)
    (case,) = clinic.admissions.sort()
    clinic.alert(SICK, "MemberStalled")

    assert clinic.admissions.sort() == ()
    assert case.woken_by == ("AppScrapeDown", "LBMemberDown", "ProbeFail")


def test_an_alert_after_the_fact_belongs_to_the_case_that_healed(clinic):
    """
    Late news of the instance that was replaced opens nothing.
    """
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    clinic.heal()
    clinic.alert(SICK, "LBMemberDown")

    assert clinic.heal() == ()
    assert clinic.members() == AFTER


def test_a_lost_webhook_is_found_by_looking(clinic):
    """
    An instance deleted behind our back is noticed in the second reading, and its slot filled.
    """
    clinic.cloud.vanish(SICK)
    clinic.settle(5)
    clinic.view.refresh()
    assert clinic.admissions.notice(clinic.view.sightings()) == ()
    clinic.view.refresh()
    opened = clinic.admissions.notice(clinic.view.sightings())
    (case,) = clinic.heal(opened)

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.GONE)
    assert clinic.members() == AFTER
    assert clinic.plan_is_empty()


def test_a_bad_image_stops_after_two_replacements(clinic):
    """
    Replacements that never serve: a second one is tried, then a person is called.
    """
    clinic.cloud.break_image("debian-12")
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.alert(SICK)
    (case,) = clinic.heal()

    assert CaseState.PAGED is case.state
    assert clinic.changes().count("ensure_instance") == 2


def test_the_third_healing_of_a_slot_is_the_last(clinic):
    """
    A slot that falls ill again and again is a person's matter.
    """
    verdicts = []
    for generation in range(1, 5):
        sick = f"demo-shop-web-1-g{generation}"
        clinic.cloud.break_instance(sick, Behaviour.KILL)
        clinic.view.refresh()
        clinic.alert(sick)
        verdicts += [case.state for case in clinic.heal()]
        clinic.settle(60)

    assert [*[CaseState.RECOVERED] * 3, CaseState.PAGED] == verdicts


@settings(max_examples=10, deadline=None)
@given(
    alerts=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["ProbeFail", "MemberErrors", "MemberSlow"]),
        ),
        max_size=8,
    ),
    minimum=st.integers(1, 4),
)
def test_false_alarms_destroy_nothing(tmp_path_factory, alerts, minimum):
    """
    Whatever is cried about members that are well: no instance is touched, min-healthy go on serving, and all weights come back.
    """
    clinic = Clinic(
        tmp_path_factory.mktemp("false"), service=a_service(min_healthy=minimum)
    )
    for slot, name in alerts:
        clinic.alert(f"demo-shop-web-{slot}-g1", name)
        serving = sum(weight > 0 for weight in clinic.members().values())
        assert serving >= minimum
    cases = clinic.heal()

    assert {CaseState.RECOVERED} >= {case.state for case in cases}
    assert clinic.changes() == []
    assert clinic.members() == BEFORE


@settings(max_examples=10, deadline=None)
@given(
    faults=st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from(sorted(set(Behaviour) - {"serving"}))
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda fault: fault[0],
    ),
    minimum=st.integers(1, 3),
)
def test_our_own_actions_never_go_below_min_healthy(tmp_path_factory, faults, minimum):
    """
    Whatever breaks, in whatever order: of the members that serve, our calls take none away below the minimum.
    """
    clinic = Clinic(
        tmp_path_factory.mktemp("floor"), service=a_service(min_healthy=minimum)
    )
    for slot, behaviour in faults:
        instance = f"demo-shop-web-{slot}-g1"
        if clinic.cloud.world.instances.get(instance):
            clinic.cloud.break_instance(instance, behaviour, sticky=True)
            clinic.alert(instance)
    sick = {f"demo-shop-web-{slot}-g1" for slot, _ in faults}
    healthy = 4 - len(sick)
    clinic.heal()

    serving = [
        name
        for name, weight in clinic.members().items()
        if weight > 0 and clinic.cloud.probe(name).good
    ]
    assert len(serving) >= min(healthy, minimum)
    destroyed = set(BEFORE) - set(clinic.cloud.world.instances)
    assert destroyed <= sick


def test_a_replacement_that_boots_is_not_drained(clinic):
    """
    Alerts about a slot whose case is open are the case's matter: no first move disturbs it.
    """
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    clinic.alert(SICK)
    clinic.admissions.sort()
    clinic.cloud.set_weight(
        "demo-shop-lb", "demo-shop-web", SICK, 1, deadline_seconds=9
    )
    clinic.view.refresh()
    clinic.alert(SICK, "LBMemberDown")

    assert clinic.members()[SICK] == 1
