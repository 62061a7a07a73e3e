"""
From the first sign to the verdict where the cause is not in the member: host, zone, release, dependency, load, load balancer.
"""

import dataclasses
import re

import pytest

from fournines.cloud.simulated import Behaviour, Scenario
from fournines.metrics.protocol import Sample
from fournines.model.approval import ApprovalState
from fournines.model.case import CaseState, Diagnosis
from fournines.model.refusal import Reason
from fournines.model.transaction import Transaction
from tasks import deployment
from tests.story.clinic import BALANCER, POOL, Clinic, Gauges, a_service

MEMBERS = [f"demo-shop-web-{slot}-g1" for slot in range(4)]


class LoadGauges(Gauges):
    """
    Measures that know, besides, how much users ask now and usually ask.
    """

    usual = 100.0
    arriving = 100.0

    def instant(self, query):
        """
        The value of a query about load, or of any other.
        """
        if self.down:
            return super().instant(query)
        if re.match(r"sum\(fournines:edge_total:rate10s", query):
            rate = self.cloud.pressure(BALANCER, POOL)
            return (Sample({}, rate, self.clock.now()),)
        if re.match(r"sum\(avg_over_time\(fournines:edge_total:rate1m", query):
            return (Sample({}, self.usual, self.clock.now()),)
        if re.match(r"sum\(rate\(http_request_duration_seconds_count", query):
            return (Sample({}, self.arriving, self.clock.now()),)
        return super().instant(query)


def zones(clinic):
    """
    Where the group's instances stand.
    """
    return sorted(i.zone for i in clinic.cloud.world.instances.values())


def test_a_zone_that_is_down_is_left_for_the_others(tmp_path):
    """
    Two of four members fall with their zone: both are made anew elsewhere, one story with two cases, nothing is built in the dead zone.
    """
    clinic = Clinic(tmp_path)
    lost = clinic.cloud.break_zone("az1")
    clinic.settle(4)
    for name in lost:
        clinic.alert(name)
    cases = clinic.heal()

    assert [case.state for case in cases] == [CaseState.RECOVERED] * 2
    assert {case.cause for case in cases} == {"zone az1"}
    assert [case.leader for case in cases] == [None, cases[0].id]
    assert cases[0].diagnosis is Diagnosis.ZONE_DOWN
    assert cases[0].id in cases[1].verdict
    assert zones(clinic) == ["az2", "az2", "az3", "az3"]
    assert set(clinic.members().values()) == {1}


def test_a_host_that_is_down_takes_one_story_with_it(tmp_path):
    """
    All members of one host fall together: one story, and their replacements stand in another zone, since the cloud does not know yet.
    """
    scenario = Scenario(hosts_per_zone=1)
    clinic = Clinic(
        tmp_path, service=a_service(count=6, min_healthy=2), scenario=scenario
    )
    lost = clinic.cloud.break_host("az2-host1")
    clinic.settle(4)
    for name in lost:
        clinic.alert(name)
    cases = clinic.heal()

    assert len(lost) == 2
    assert [case.state for case in cases] == [CaseState.RECOVERED] * 2
    assert {case.cause for case in cases} == {"host az2-host1"}
    assert {case.diagnosis for case in cases} == {Diagnosis.HOST_DOWN}
    assert zones(clinic) == ["az1"] * 3 + ["az3"] * 3


def test_a_dependency_that_is_down_leaves_the_dependent_alone(tmp_path):
    """
    All members answer users with errors because nobody of what they need serves: nothing of theirs is touched, weights come back.
    """
    clinic = two_services(tmp_path)
    for slot in range(2):
        clinic.cloud.break_instance(f"demo-store-web-{slot}-g1", Behaviour.HANG)
    clinic.settle(5)
    clinic.view.refresh()
    clinic.cloud.calls.clear()
    clinic.alert(MEMBERS[0], "MemberErrors")
    assert clinic.members()[MEMBERS[0]] == 0
    (case,) = clinic.heal()

    assert (case.diagnosis, case.cause) == (Diagnosis.DEPENDENCY, "service store")
    assert case.state is CaseState.PAGED
    assert Reason.DEPENDENCY in {refusal.reason for refusal in case.refusals}
    assert clinic.members() == dict.fromkeys(MEMBERS, 1)
    assert clinic.changes() == []


@pytest.mark.parametrize("told", ["burn", "transactions"])
def test_a_dependency_whose_users_get_nothing_is_waited_for(tmp_path, told):
    """
    Every member below answers us, and its transactions fail: by its alarm, or before that by our own last tries. The dependent is left alone and
    nobody is called for it: what is below has its own case.
    """
    clinic = two_services(tmp_path)
    for name in MEMBERS:
        clinic.cloud.break_instance(name, Behaviour.GREY_ERRORS)
    clinic.settle(2)
    clinic.view.refresh()
    if told == "burn":
        burning = {"service": "store", "tier": "burn", "indicator": "transactions"}
        clinic.alert("demo-store-web-0-g1", "BudgetBurnMinute", **burning)
    else:
        bad = Transaction(
            at=clinic.clock.now(), ok=False, seconds=1.5, error="no answer"
        )
        tries = {("demo", "store"): (bad, bad)}
        clinic.ward = dataclasses.replace(
            clinic.ward, tried=lambda *key: tries.get(key, ())
        )
    clinic.cloud.calls.clear()
    clinic.alert(MEMBERS[0], "MemberErrors")
    cases = {case.subject.service: case for case in clinic.admissions.sort()}
    case = clinic.treat(cases["shop"])

    assert (case.diagnosis, case.cause) == (Diagnosis.DEPENDENCY, "service store")
    assert case.state is CaseState.REFUSED, case.verdict
    assert clinic.members() == dict.fromkeys(MEMBERS, 1)
    assert clinic.changes() == []


def two_services(tmp_path, **asked):
    """
    The shop, which cannot serve without the store below it.
    """
    clinic = Clinic(tmp_path, **asked)
    store = renamed(a_service(count=2, min_healthy=1), "store")
    shop = clinic.platform.services[0].model_copy(update={"depends_on": ("store",)})
    clinic.platform = clinic.platform.model_copy(update={"services": (store, shop)})
    result = deployment.deploy(clinic.workshop, clinic.platform)
    assert result.ok, result.sentence()
    clinic.cloud.let_depend("demo-shop", "demo-store")
    clinic.settle(30)
    clinic.view.refresh()
    return clinic


def renamed(service, name):
    """
    The same service under another name.
    """
    text = service.model_dump_json().replace("shop", name)
    return type(service).model_validate_json(text)


def released(clinic, **changes):
    """
    The service deployed with another group content.
    """
    service = clinic.platform.services[0]
    group = service.groups[0].model_copy(update=changes)
    service = service.model_copy(update={"groups": (group,)})
    clinic.platform = clinic.platform.model_copy(update={"services": (service,)})
    result = deployment.deploy(clinic.workshop, clinic.platform)
    assert result.ok, result.sentence()
    clinic.settle(30)
    clinic.view.refresh()
    clinic.cloud.calls.clear()


def test_a_bad_release_is_rolled_back(tmp_path):
    """
    All members fall ill minutes after their release was changed: the one before comes back, by the deploy's path.
    """
    clinic = Clinic(tmp_path, service=a_service(limits={"approval_share": 1.0}))
    case = with_a_bad_release(clinic)

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.BAD_RELEASE)
    assert case.cause.startswith("release ")
    (service,) = clinic.store.registry.platform("demo").services
    assert service.groups[0].user_data == "#cloud-config\n"
    assert clinic.members() == {f"demo-shop-web-{s}-g3": 1 for s in range(4)}


def with_a_bad_release(clinic):
    """
    The case of a member whose whole group fell ill after a change.
    """
    released(clinic, user_data="#cloud-config\n# the new one\n")
    for slot in range(4):
        clinic.cloud.break_instance(f"demo-shop-web-{slot}-g2", Behaviour.GREY_ERRORS)
    clinic.settle(2)
    clinic.alert("demo-shop-web-1-g2", "MemberErrors")
    (case,) = clinic.heal()
    return case


def test_rolling_back_a_whole_group_waits_for_a_person(tmp_path):
    """
    Unless the group's policy says otherwise, changing every member of it needs a word; until then nothing is asked for and nothing is made.
    """
    clinic = Clinic(tmp_path)
    case = with_a_bad_release(clinic)

    assert case.state is CaseState.AWAITING
    assert clinic.changes() == []
    (service,) = clinic.store.registry.platform("demo").services
    assert service.groups[0].user_data.endswith("# the new one\n")

    clinic.store.approvals.decide(
        case.id, ApprovalState.APPROVED, by="ops", why="", at=clinic.clock.now()
    )
    case = clinic.treat(clinic.store.cases.case(case.id))

    assert case.state is CaseState.RECOVERED
    (service,) = clinic.store.registry.platform("demo").services
    assert service.groups[0].user_data == "#cloud-config\n"


def test_a_release_is_rolled_back_once(tmp_path):
    """
    When the release before is sick too, nobody goes to and fro: a person is called.
    """
    clinic = Clinic(tmp_path, service=a_service(limits={"approval_share": 1.0}))
    released(clinic, user_data="#cloud-config\n# the new one\n")
    for generation in (2, 3):
        for slot in range(4):
            name = f"demo-shop-web-{slot}-g{generation}"
            clinic.cloud.break_instance(name, Behaviour.GREY_ERRORS)
        clinic.settle(2)
        clinic.alert(f"demo-shop-web-1-g{generation}", "MemberErrors")
        (case,) = clinic.heal()
        clinic.settle(100)
        clinic.view.refresh()

    assert (case.state, case.diagnosis) == (CaseState.PAGED, Diagnosis.BAD_RELEASE)
    assert "rolled back within the last hour" in case.evidence["rejected"]["roll-back"]


def saturated(tmp_path, **limits):
    """
    A service with twice its usual load, and more than it can serve.
    """
    clinic = Clinic(
        tmp_path,
        service=a_service(limits=limits),
        scenario=Scenario(capacity_per_instance=40),
    )
    clinic.gauges = LoadGauges(clinic.cloud, clinic.clock)
    clinic.wake()
    clinic.cloud.press(BALANCER, POOL, 200)
    clinic.settle(5)
    clinic.alert(MEMBERS[0], "MemberSlow")
    return clinic


def test_load_is_answered_with_more_members(tmp_path):
    """
    Everybody is slow and twice as much is asked as usual: the group grows within its limit, nobody is replaced.
    """
    clinic = saturated(tmp_path, count_max=8)
    (case,) = clinic.heal()

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.SATURATED)
    assert clinic.members() == {f"demo-shop-web-{slot}-g1": 1 for slot in range(6)}
    (service,) = clinic.store.registry.platform("demo").services
    assert service.groups[0].count == 6
    assert "delete_instance" not in clinic.changes()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        pytest.param({}, "may not scale", id="nobody-allowed-it"),
        pytest.param({"count_max": 4}, "at most 4", id="as-large-as-allowed"),
    ],
)
def test_load_beyond_the_limit_calls_a_person(tmp_path, limits, said):
    """
    Without leave to grow nothing is changed, and nobody is replaced for being busy.
    """
    clinic = saturated(tmp_path, **limits)
    (case,) = clinic.heal()

    assert (case.state, case.diagnosis) == (CaseState.PAGED, Diagnosis.SATURATED)
    assert said in next(r.detail for r in case.refusals if r.reason is Reason.SIZE)
    assert clinic.changes() == []


@pytest.fixture
def behind_a_dead_front(tmp_path):
    """
    A service whose members are well behind a load balancer that is dead.
    """
    clinic = Clinic(tmp_path)
    clinic.gauges = LoadGauges(clinic.cloud, clinic.clock)
    clinic.gauges.arriving = 2.0  # our own probes
    clinic.wake()
    clinic.cloud.silence_load_balancer(BALANCER)
    clinic.settle(3)
    return clinic


def test_a_dead_load_balancer_is_failed_over(behind_a_dead_front):
    """
    Members answer us, users get nothing: the load balancer's own failover is asked for, once, and users get through again.
    """
    clinic = behind_a_dead_front
    clinic.alert(MEMBERS[0])
    (case,) = clinic.heal()

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.BALANCER)
    assert clinic.changes() == ["failover_load_balancer"]
    assert clinic.members() == dict.fromkeys(MEMBERS, 1)


def test_a_stopped_failover_is_not_forced(behind_a_dead_front):
    """
    Where the cloud has given up failing it over, a person is called instead.
    """
    clinic = behind_a_dead_front
    clinic.cloud.stop_failover(BALANCER)
    clinic.alert(MEMBERS[0])
    (case,) = clinic.heal()

    assert case.state is CaseState.PAGED
    assert Reason.FAILOVER_STOPPED in {refusal.reason for refusal in case.refusals}
    assert clinic.changes() == []


def test_our_cut_way_to_a_zone_replaces_nobody(tmp_path):
    """
    We reach nobody in a zone, the load balancer reaches all of them: it is our way there that is cut.
    """
    clinic = Clinic(tmp_path)
    there = {
        i.address for i in clinic.cloud.world.instances.values() if i.zone == "az1"
    }
    clinic.eyes.hidden = there
    clinic.alert(MEMBERS[0])
    (case,) = clinic.heal()

    assert (case.state, case.diagnosis) == (CaseState.PAGED, Diagnosis.BLIND)
    assert case.cause == "our way to zone az1"
    assert clinic.changes() == []


@pytest.mark.parametrize("measured", [True, False])
def test_our_own_cut_way_fails_nothing_over(tmp_path, measured):
    """
    Only our own requests do not reach the load balancer: with traffic measured nothing is wrong, without it a person is called.
    """
    clinic = Clinic(tmp_path)
    clinic.gauges = LoadGauges(clinic.cloud, clinic.clock)
    clinic.gauges.down = not measured
    clinic.wake()
    clinic.cloud.press(BALANCER, POOL, 100)
    front = clinic.cloud.inventory("demo").load_balancer(BALANCER)
    clinic.eyes.hidden |= {front.vip_address, front.floating_address}
    clinic.alert(MEMBERS[0])
    (case,) = clinic.heal()

    assert case.state is (CaseState.RECOVERED if measured else CaseState.PAGED)
    assert "failover_load_balancer" not in clinic.changes()
    assert clinic.members() == dict.fromkeys(MEMBERS, 1)
