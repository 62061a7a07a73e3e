"""
What the simulated cloud adds to the contract: chosen faults, chosen failures, and what users would see.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from cloud_rig import Rig, simulated

from fournines.cloud.errors import (
    CapacityMissing,
    CloudUnreachable,
    CredentialsRefused,
    QuotaExceeded,
    ResourceFailed,
)
from fournines.cloud.simulated import (
    Behaviour,
    Fault,
    FaultKind,
    InconsistentScenario,
    Killed,
    Scenario,
    SimulatedCloud,
)
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.specification import HealthMonitorSpec, MemberSpec, VolumeSpec


def rig_of(cloud):
    """
    A rig around a simulated cloud.
    """
    return Rig(
        cloud,
        "contract",
        cloud.clock.sleep,
        plant=lambda *_: lambda: None,
        tamper=lambda *_: None,
    )


@pytest.fixture
def rig():
    """
    Two instances in a pool, serving.
    """
    rig = simulated()
    rig.base()
    rig.cloud.ensure_load_balancer(rig.load_balancer(), deadline_seconds=60)
    for slot in (0, 1):
        rig.cloud.ensure_instance(rig.instance(slot), deadline_seconds=60)
    members = [MemberSpec(instance=rig.name(slot), port=8080) for slot in (0, 1)]
    rig.cloud.join_pool(rig.balancer, rig.group, members, deadline_seconds=60)
    rig.rest(5)
    return rig


def status(rig, slot):
    """
    What the pool says of an instance.
    """
    return (
        rig.cloud.pool(rig.balancer, rig.group).member(rig.name(slot)).operating_status
    )


def errors(rig):
    """
    The share of the users' requests that fails now.
    """
    return rig.cloud.traffic(rig.balancer, rig.group).error_ratio


@pytest.mark.parametrize(
    ("behaviour", "health_code", "user_code", "found"),
    [
        pytest.param(Behaviour.KILL, None, None, True, id="kill"),
        pytest.param(Behaviour.HANG, None, None, True, id="hang"),
        pytest.param(Behaviour.ERRORS, 500, 500, True, id="errors"),
        pytest.param(Behaviour.GREY_ERRORS, 200, 500, False, id="grey-errors"),
        pytest.param(Behaviour.GREY_SLOW, 200, None, False, id="grey-slow"),
        pytest.param(Behaviour.CUT, None, None, True, id="cut"),
        pytest.param(Behaviour.FULL_DISK, 200, 500, False, id="full-disk"),
        pytest.param(Behaviour.MEMORY, None, None, True, id="memory"),
    ],
)
def test_each_failure_looks_as_it_does_in_life(
    rig, behaviour, health_code, user_code, found
):
    """
    What probes see, what the health monitor finds and what a restart mends follow from the failure.
    """
    rig.cloud.break_instance(rig.name(0), behaviour)

    assert rig.cloud.probe(rig.name(0), health_path=True).code == health_code
    assert rig.cloud.probe(rig.name(0)).code == user_code
    rig.rest(5)
    assert status(rig, 0) == ("ERROR" if found else "ONLINE")

    rig.cloud.restart_instance(rig.name(0), deadline_seconds=60)
    rig.rest(5)
    assert rig.cloud.probe(rig.name(0)).good
    assert status(rig, 0) == "ONLINE"


def test_the_monitor_s_arithmetic_is_octavia_s(rig):
    """
    A member that answers 500 is out after `fall` checks, not a moment sooner.
    """
    monitor = HealthMonitorSpec()
    rig.cloud.break_instance(rig.name(0), Behaviour.ERRORS)
    clock = rig.cloud.clock
    due = monitor.delay_seconds * monitor.fall

    clock.advance(due - 0.1)
    sooner = rig.cloud.traffic(rig.balancer, rig.group).members[0].in_rotation
    clock.advance(0.2)
    later = rig.cloud.traffic(rig.balancer, rig.group).members[0].in_rotation

    assert (sooner, later) == (True, False)


def test_weight_zero_spares_the_users(rig):
    """
    A grey member costs its share of the requests until its weight is 0.
    """
    rig.cloud.break_instance(rig.name(0), Behaviour.GREY_ERRORS)
    before = errors(rig)
    rig.cloud.set_weight(rig.balancer, rig.group, rig.name(0), 0, deadline_seconds=9)

    assert before == 0.5
    assert errors(rig) == 0.0
    assert status(rig, 0) == "DRAINING"


def test_nova_learns_of_a_death_late(rig):
    """
    A killed guest stays ACTIVE in Nova for a while, and is SHUTOFF then.
    """
    rig.cloud.break_instance(rig.name(0), Behaviour.KILL)

    def seen():
        return rig.cloud.inventory(rig.platform).instance(rig.name(0)).status

    assert seen() == "ACTIVE"
    rig.rest(30)
    assert seen() == "SHUTOFF"


def test_a_zone_s_death_takes_its_instances(rig):
    """
    All instances of a dead zone are gone, and nothing new fits there.
    """
    assert set(rig.cloud.break_zone("az1")) == {rig.name(0), rig.name(1)}
    assert errors(rig) == 1.0
    with pytest.raises(CapacityMissing):
        rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=60)


def test_an_instance_that_boots_slowly_serves_late(rig):
    """
    Nova calls it active as ever; it answers nobody until it has booted.
    """
    rig.cloud.slow_boots(30)
    name = rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=60).name
    assert rig.cloud.probe(name).error == "refused"

    rig.rest(50)
    assert rig.cloud.probe(name).good


@pytest.fixture
def volume(rig):
    """
    A third instance with a volume; returns the volume's name.
    """
    spec = VolumeSpec(
        name=f"{rig.group}-2",
        owner=rig.owner(group="web", slot=2),
        size_gb=1,
        zone=rig.zone,
    )
    rig.cloud.ensure_volume(spec, deadline_seconds=60)
    wanted = rig.instance(2, volumes=(spec.name,))
    rig.cloud.ensure_instance(wanted, deadline_seconds=60)
    rig.rest(20)
    return spec.name


def test_a_volume_that_is_stuck_makes_its_next_instance_late(rig, volume):
    """
    It lets go of the old instance late, and the new one has it then.
    """
    until = rig.cloud.clock.now() + timedelta(seconds=40)
    rig.cloud.stick_volume(volume, until)
    rig.cloud.delete_instance(rig.name(2), deadline_seconds=60)
    assert rig.cloud.world.volumes[volume].status == "detaching"

    wanted = rig.instance(2, 2, volumes=(volume,))
    made = rig.cloud.ensure_instance(wanted, deadline_seconds=120)

    assert rig.cloud.clock.now() >= until
    assert rig.cloud.world.volumes[volume].attached_to == made.id


def test_a_volume_in_error_builds_nothing_until_it_is_reset(rig, volume):
    """
    Who has it goes on; the next one is in ERROR, as Nova would say it, and stands once an administrator has reset the volume.
    """
    rig.cloud.break_volume(volume)
    assert rig.cloud.probe(rig.name(2)).good
    rig.cloud.delete_instance(rig.name(2), deadline_seconds=60)
    wanted = rig.instance(2, 2, volumes=(volume,))

    with pytest.raises(ResourceFailed, match="its status is error"):
        rig.cloud.ensure_instance(wanted, deadline_seconds=120)

    rig.cloud.reset_volume(volume)
    rig.cloud.ensure_instance(wanted, deadline_seconds=120)
    assert rig.cloud.world.volumes[volume].status == "in-use"


def test_a_bad_image_never_serves(rig):
    """
    An instance of a bad image starts, never answers well, and a restart does not help.
    """
    rig.cloud.break_image(rig.image)
    name = rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=60).name
    rig.cloud.restart_instance(name, deadline_seconds=60)
    rig.rest(10)

    assert rig.cloud.probe(name).code == 500


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.FAIL_BEFORE,
        FaultKind.FAIL_AFTER,
        FaultKind.TIMEOUT_AFTER,
        FaultKind.BUSY,
    ],
)
def test_a_transient_fault_is_tried_again_and_doubles_nothing(rig, kind):
    """
    One failing call of any transient kind, before or after its effect, still ends in one instance.
    """
    rig.cloud.inject(Fault(kind, call="ensure_instance", times=1))

    rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=90)

    assert len(rig.cloud.inventory(rig.platform).instances) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(FaultKind.FAIL_BEFORE), CloudUnreachable),
        (Fault(FaultKind.CREDENTIALS), CredentialsRefused),
        (Fault(FaultKind.QUOTA), QuotaExceeded),
        (Fault(FaultKind.NO_CAPACITY), CapacityMissing),
        (Fault(FaultKind.ERROR_STATUS, text="disk on fire"), ResourceFailed),
    ],
)
def test_a_lasting_fault_is_the_error_it_stands_for(rig, fault, error):
    """
    What does not pass comes out as its error, and leaves no instance behind.
    """
    rig.cloud.inject(fault)
    with pytest.raises(error, match=fault.text or "injected"):
        rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=60)
    rig.cloud.calm()

    assert rig.cloud.inventory(rig.platform).instance(rig.name(2)) is None


@pytest.mark.parametrize(
    ("kind", "made"), [(FaultKind.KILL_BEFORE, 0), (FaultKind.KILL_AFTER, 1)]
)
def test_a_process_dies_before_or_after_a_call_s_effect(rig, kind, made):
    """
    A kill is no exception that a handler catches; what took effect stays, and the next run finds it.
    """
    rig.cloud.inject(Fault(kind, call="ensure_instance", times=1))
    with pytest.raises(Killed):
        rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=60)
    assert len(rig.cloud.inventory(rig.platform).instances) == 2 + made

    rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=60)

    assert len(rig.cloud.inventory(rig.platform).instances) == 3


def test_a_stale_read_shows_the_past_as_present(rig):
    """
    A stale inventory lacks what was made since the last one, though it is dated now.
    """
    rig.cloud.inventory(rig.platform)
    rig.cloud.ensure_instance(rig.instance(2), deadline_seconds=60)
    rig.cloud.inject(Fault(FaultKind.STALE_READ, call="inventory", times=1))

    stale, fresh = (rig.cloud.inventory(rig.platform) for _ in range(2))

    assert stale.instance(rig.name(2)) is None
    assert fresh.instance(rig.name(2)) is not None
    assert rig.cloud.clock.now() >= stale.at


def test_the_same_seed_tells_the_same_story():
    """
    Chance comes from the seed alone: two runs make the same calls at the same moments.
    """

    def story():
        rig = simulated()
        rig.cloud.inject(Fault(FaultKind.FAIL_AFTER, probability=0.3))
        rig.base()
        for slot in range(5):
            rig.cloud.ensure_instance(rig.instance(slot), deadline_seconds=60)
        return rig.cloud.calls

    assert story() == story()


@pytest.mark.parametrize(
    "impossible",
    [
        lambda cloud: cloud.break_instance("nobody", Behaviour.HANG),
        lambda cloud: cloud.break_zone("az9"),
        lambda cloud: cloud.break_host("az9-host1"),
        lambda cloud: cloud.break_image("windows"),
        lambda cloud: cloud.break_load_balancer("none"),
        lambda cloud: cloud.break_volume("none"),
        lambda cloud: cloud.plant("teapot", "x"),
        lambda _: Scenario(zones=()),
        lambda _: Scenario(zones=("a", "a")),
        lambda _: Scenario(hosts_per_zone=0),
        lambda _: Scenario(attempts=0),
    ],
)
def test_what_cannot_happen_is_refused(impossible):
    """
    A scenario that no real cloud could show is a broken test, and is told so.
    """
    with pytest.raises(InconsistentScenario):
        impossible(SimulatedCloud(clock=VirtualClock()))


def test_time_does_not_run_backwards():
    """
    The virtual clock refuses to go back.
    """
    with pytest.raises(ValueError, match="backwards"):
        VirtualClock().advance(-1)


def test_thousands_of_instances_fit():
    """
    Two thousand instances are made and listed; every host gets its share.
    """
    scenario = Scenario(hosts_per_zone=10, instances_per_host=500)
    rig = rig_of(SimulatedCloud(scenario, VirtualClock()))
    rig.base()
    for slot in range(2000):
        rig.cloud.ensure_instance(rig.instance(slot), deadline_seconds=60)

    found = rig.cloud.inventory(rig.platform).instances
    assert len(found) == 2000
    assert set(Counter(one.host for one in found).values()) == {200}
